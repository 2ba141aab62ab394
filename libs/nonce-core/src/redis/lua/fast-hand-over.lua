-- Ends epochs of one shard and tells all that is known of them, for Postgres to go on from there.
-- Guarantee: from the first run on nothing is granted, settled, freed or pruned in such an epoch, and
-- what is told of it stays the same until it is forgotten, whoever asks; one that was won in Postgres
-- and has not been opened here yet is not opened any more. Facts come in pages: a run
-- tells about `ARGV[1]` of them and where to go on; some may come twice. An epoch that was retired idle
-- has none: Postgres had applied them all.
-- KEYS[1] mode of the shard (not read)   KEYS[2] its events (not read)
-- KEYS[3…] seven per submitter: state, free, held, snap, ops, ids0, ids1
-- ARGV[1] facts of one run   ARGV[2] submitters
-- ARGV[3…] per submitter: its text, epoch, incarnation, where to go on (0 = from the start)
-- Replies: per submitter {first nonce that was never issued, where to go on (empty = that was all),
--   fields of each grant} · -1 another epoch or incarnation rules, or something of it is lost

--#include incarnation.lua
--#include clock.lua
--#include submitter.lua
--#include events.lua

local token = incarnation_of_server()
if not token then
  return not_a_primary()
end
local now, left = milliseconds(), tonumber(ARGV[1])

local function end_epoch(s)
  if s.handed then
    return
  end
  s.handed = now
  redis.call('HSET', s.state, 'handed', now)
end

-- Whoever won it may be on the way to open it, and would grant what Postgres is about to give away.
local function bar(state, epoch, incarnation)
  -- guard unopened
  local found = redis.call('HMGET', state, 'epoch', 'barred')
  local last = math.max(tonumber(found[1] or 0), tonumber(found[2] or 0))
  if incarnation == token and last < tonumber(epoch) then
    redis.call('HSET', state, 'barred', epoch)
  end
  -- end guard unopened
end

local function retired_at(state, epoch, incarnation)
  local found = redis.call('HMGET', state, 'epoch', 'inc', 'retired', 'next')
  if found[3] and found[4] and found[1] == epoch and found[2] == incarnation and incarnation == token then
    return tonumber(found[4])
  end
  return nil
end

local function tell(s, cursor)
  local reply = { s.next, cursor }
  if left <= 0 then
    return reply
  end
  local page = redis.call('HSCAN', s.snap, cursor, 'COUNT', left)
  local pairs_of_page = page[2]
  for i = 1, #pairs_of_page, 2 do
    local snapshot = unpack_snapshot(s, pairs_of_page[i + 1])
    reply[#reply + 1] = fields_of(s, pairs_of_page[i], snapshot, tonumber(s.handed))
  end
  left = left - #pairs_of_page / 2
  reply[2] = page[1] == '0' and '' or page[1]
  return reply
end

local replies = {}
for i = 1, tonumber(ARGV[2]) do
  local submitter, epoch, incarnation, cursor = unpack(ARGV, 4 * i - 1, 4 * i + 2)
  local s = find(7 * i - 4, token, submitter, epoch, incarnation)
  if s then
    end_epoch(s)
    replies[i] = tell(s, cursor)
  else
    local next = retired_at(KEYS[7 * i - 4], epoch, incarnation)
    bar(KEYS[7 * i - 4], epoch, incarnation)
    replies[i] = next and { next, '' } or -1
  end
end
return replies
