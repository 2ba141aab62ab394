-- Puts fields of mirrors right, for submitters of one shard, and keeps the mirrors from expiring.
-- Guarantee: only where the field still is what was found: a fact that came since is left alone.
-- KEYS[1…] mirror, one per submitter
-- ARGV[1] time to live, milliseconds
-- ARGV[2…] per submitter: what is settled ("nonce:changed", or empty), corrections; per correction:
--   field, text found (empty = none), text to put (empty = none)
-- Replies: how many fields were put right

--#include mirrored.lua

local corrected, argument = 0, 2

local function correct(key, field, found, put)
  if (redis.call('HGET', key, field) or '') ~= found then
    return 0
  end
  if put == '' then
    redis.call('HDEL', key, field)
  else
    redis.call('HSET', key, field, put)
  end
  return 1
end

for _, key in ipairs(KEYS) do
  own_hash(key)
  local floor, corrections = ARGV[argument], tonumber(ARGV[argument + 1])
  argument = argument + 2
  for _ = 1, corrections do
    corrected = corrected + correct(key, unpack(ARGV, argument, argument + 2))
    argument = argument + 3
  end
  if floor ~= '' then
    local _, changed = numbers(floor)
    local _, known_changed = numbers(redis.call('HGET', key, '@floor'))
    if changed > known_changed then
      redis.call('HSET', key, '@floor', floor)
    end
  end
  redis.call('PEXPIRE', key, ARGV[1])
end
return corrected
