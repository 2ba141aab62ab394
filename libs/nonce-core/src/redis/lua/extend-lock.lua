-- Moves the expiry of a lock, if it is still held by this owner.
-- Guarantee: never extends the lock of another owner, and never takes a lock that has expired.
-- KEYS[1] the lock
-- ARGV[1] owner token
-- ARGV[2] time to live from now, milliseconds
-- Replies: 1 extended, 0 not ours any more
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 0
