-- Drops what is kept of epochs that were handed over, for submitters of one shard.
-- Guarantee: only of such an epoch, and that it was stays known: it is not opened again.
-- KEYS[1] mode of the shard (not read)   KEYS[2] its events (not read)
-- KEYS[3…] seven per submitter: state, free, held, snap, ops, ids0, ids1
-- ARGV[1] submitters
-- ARGV[2…] per submitter: epoch
-- Replies: how many were dropped

local dropped = 0
for i = 1, tonumber(ARGV[1]) do
  local first = 7 * i - 4
  local found = redis.call('HMGET', KEYS[first], 'epoch', 'inc', 'handed')
  -- Any incarnation: Postgres has all of it, whatever became of the server since.
  if found[1] == ARGV[i + 1] and found[2] and found[3] then
    redis.call('UNLINK', unpack(KEYS, first, first + 6))
    redis.call('HSET', KEYS[first], 'epoch', found[1], 'inc', found[2], 'retired', 1)
    dropped = dropped + 1
  end
end
return dropped
