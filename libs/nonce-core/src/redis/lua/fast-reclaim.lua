-- Ends reservations past their deadline, for submitters of one shard.
-- Guarantee: each leaves with its event and none becomes free here. Nothing happens in another epoch
-- or incarnation.
-- KEYS[1] mode of the shard (not read)   KEYS[2] its events
-- KEYS[3…] seven per submitter: state, free, held, snap, ops, ids0, ids1
-- ARGV[1] most reservations to end   ARGV[2] submitters
-- ARGV[3…] per submitter: its text, epoch, incarnation
-- Replies: how many were ended

--#include incarnation.lua
--#include clock.lua
--#include submitter.lua
--#include events.lua
--#include reclaim.lua

local token = incarnation_of_server()
if not token then
  return not_a_primary()
end
local events, now = KEYS[2], milliseconds()
local ended, limit = 0, tonumber(ARGV[1])
for i = 1, tonumber(ARGV[2]) do
  local s = ended < limit and enter(7 * i - 4, token, unpack(ARGV, 3 * i, 3 * i + 2))
  if s then
    ended = ended + (reclaim(events, s, now, limit - ended) or 0)
    leave(s)
  end
end
return ended
