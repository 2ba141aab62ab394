-- Marks one shard with the epoch of the mode that rules in Postgres.
-- Guarantee: a mark is never replaced by an older one; of one epoch a drain begins, but never ends.
-- KEYS[1] mode of the shard
-- ARGV[1] epoch   ARGV[2] drain (1 or 0)
-- Replies: 1 when the shard is marked so now, 0 when it has another mark

local mark = redis.call('HMGET', KEYS[1], 'epoch', 'drain')
local marked, epoch, drain = tonumber(mark[1] or -1), tonumber(ARGV[1]), ARGV[2]
-- guard mode
if marked > epoch then
  return 0
end
-- end guard mode
-- guard drain
if marked == epoch and mark[2] == '1' and drain ~= '1' then
  return 0
end
-- end guard drain
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'drain', drain)
return 1
