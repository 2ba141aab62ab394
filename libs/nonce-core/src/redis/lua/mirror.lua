-- Takes over what Postgres has decided, for submitters of one shard, in whatever order it comes.
-- Guarantee: what is kept only gets later, by (epoch, time of the change); a fact about a nonce that
-- was settled before that time is refused. Read by people and by the comparison, never for granting.
-- KEYS[1…] mirror, one per submitter
-- ARGV[1] time to live, milliseconds
-- ARGV[2…] per submitter: next ("epoch:next", or empty), facts; per fact: nonce, its text
-- Replies: how many facts were taken over

--#include mirrored.lua

local taken, argument = 0, 2

local function take(key, floor, floor_changed, nonce, text)
  local _, changed = numbers(text)
  if tonumber(nonce) < floor and changed <= floor_changed then
    return 0
  end
  if not is_later(text, redis.call('HGET', key, nonce)) then
    return 0
  end
  redis.call('HSET', key, nonce, text)
  return 1
end

for _, key in ipairs(KEYS) do
  own_hash(key)
  local known = redis.call('HMGET', key, '@next', '@floor')
  local floor, floor_changed = numbers(known[2])
  local facts = tonumber(ARGV[argument + 1])
  if is_later(ARGV[argument], known[1]) then
    redis.call('HSET', key, '@next', ARGV[argument])
  end
  argument = argument + 2
  for _ = 1, facts do
    taken = taken + take(key, floor, floor_changed, ARGV[argument], ARGV[argument + 1])
    argument = argument + 2
  end
  redis.call('PEXPIRE', key, ARGV[1])
end
return taken
