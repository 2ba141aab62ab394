-- Proves that one shard can serve: its server is a primary of a known incarnation that evicts nothing,
-- and takes and gives back what is written.
-- Guarantee: leaves the shard as it was.
-- KEYS[1] mode of the shard
-- ARGV[1] what to write
-- Replies: what was read back

--#include incarnation.lua

if not incarnation_of_server() then
  return not_a_primary()
end
local memory = redis.call('INFO', 'memory')
local _, last = string.find(memory, '\nmaxmemory_policy:', 1, true)
local policy = last and string.match(memory, '^[%w-]+', last + 1)
if policy and policy ~= 'noeviction' then
  return redis.error_reply('EVICTION maxmemory-policy is ' .. policy .. ', not noeviction')
end
redis.call('HSET', KEYS[1], 'canary', ARGV[1])
local read = redis.call('HGET', KEYS[1], 'canary')
redis.call('HDEL', KEYS[1], 'canary')
return read
