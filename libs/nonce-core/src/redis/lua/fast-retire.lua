-- Ends the epoch of one idle submitter here, and tells where its fresh nonces ended.
-- Guarantee: afterwards nothing is granted in this epoch and it cannot be opened again; nothing ends
-- while a reservation is held or a nonce was granted lately.
-- KEYS[1] mode of the shard (not read)   KEYS[2] its events (not read)
-- KEYS[3…9] state, free, held, snap, ops, ids0, ids1
-- ARGV[1] epoch   ARGV[2] incarnation   ARGV[3] idle time, milliseconds
-- Replies: the first nonce that was never issued; -1 when it is not idle, or not here

--#include incarnation.lua
--#include clock.lua
--#include submitter.lua

local token = incarnation_of_server()
if not token then
  return not_a_primary()
end
local s = enter(3, token, '', ARGV[1], ARGV[2])
if not s or redis.call('ZCARD', s.held) > 0 then
  return -1
end
local last_grant = tonumber(redis.call('HGET', s.state, 'lastGrantMs'))
if milliseconds() - last_grant < tonumber(ARGV[3]) then
  return -1
end
redis.call('UNLINK', unpack(KEYS, 3, 9))
redis.call('HSET', s.state, 'epoch', ARGV[1], 'inc', ARGV[2], 'retired', 1)
return s.next
