-- Deletes a lock, if it is still held by this owner.
-- Guarantee: never deletes the lock of another owner, however late it runs.
-- KEYS[1] the lock
-- ARGV[1] owner token
-- Replies: 1 deleted, 0 not ours any more
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
