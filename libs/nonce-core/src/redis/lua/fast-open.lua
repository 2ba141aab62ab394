-- Opens epochs that were just won in Postgres, for submitters of one shard.
-- Guarantee: an epoch is opened at most once and only by its own incarnation; an older one, and all
-- that is left of it, is forgotten. The same opening, run again, is refused: sent twice it would
-- issue the same nonces twice.
-- KEYS[1] mode of the shard   KEYS[2] its events
-- KEYS[3…] seven per submitter: state, free, held, snap, ops, ids0, ids1
-- ARGV[1] openings
-- ARGV[2…] per opening: epoch, incarnation, base, ceiling, floor, window end (empty = none),
--   most reserved (0 = no limit), reserved elsewhere, paused (1 or 0), loan, more free (1 or 0), number
--   of free nonces, each of them ("<nonce>", or "<nonce>t" when an earlier holder may have sent it)
-- Replies: per opening 1 opened, 0 refused

--#include incarnation.lua
--#include clock.lua
--#include free-nonces.lua

local token = incarnation_of_server()
if not token then
  return not_a_primary()
end
local now = milliseconds()
local mode = redis.call('HMGET', KEYS[1], 'epoch', 'drain')
local draining = mode[2] and mode[2] ~= '0'

-- All events of a stream are numbered after the moment of its birth (see include/events.lua).
local function birth_of(events)
  local facts = redis.pcall('XINFO', 'STREAM', events)
  if not facts.err then
    for i = 1, #facts, 2 do
      local born = facts[i] == 'last-generated-id' and string.match(facts[i + 1], '^%d+')
      if born and born ~= '0' then
        return born
      end
    end
  end
  local born = string.format('%.0f', now)
  redis.call('XADD', events, born .. '-0', 'born', '1')
  redis.call('XDEL', events, born .. '-0')
  return born
end

local function open(first_key, argument)
  local state = KEYS[first_key]
  local epoch, incarnation, base = ARGV[argument], ARGV[argument + 1], tonumber(ARGV[argument + 2])
  -- guard incarnation
  if incarnation ~= token then
    return 0
  end
  -- end guard incarnation
  if draining then
    return 0
  end
  -- guard init-once
  if tonumber(redis.call('HGET', state, 'epoch') or 0) >= tonumber(epoch) then
    return 0
  end
  -- end guard init-once
  local birth = birth_of(KEYS[2])
  redis.call('UNLINK', unpack(KEYS, first_key, first_key + 6))
  local free = KEYS[first_key + 1]
  add_free_nonces(free, argument + 12, tonumber(ARGV[argument + 11]), function(nonce)
    return nonce < base
  end)
  redis.call('HSET', state, 'epoch', epoch, 'inc', incarnation, 'mode', mode[1] or '',
    'birth', birth, 'next', ARGV[argument + 2], 'ceiling', ARGV[argument + 3], 'gen', 1,
    'floor', ARGV[argument + 4], 'windowEnd', ARGV[argument + 5],
    'maxReserved', ARGV[argument + 6], 'reserved', ARGV[argument + 7],
    'paused', ARGV[argument + 8], 'loan', ARGV[argument + 9], 'more', ARGV[argument + 10],
    'lastGrantMs', now, 'keys', redis.call('EXISTS', free))
  return 1
end

local replies, argument = {}, 2
for i = 1, tonumber(ARGV[1]) do
  replies[i] = open(7 * i - 4, argument)
  argument = argument + 12 + tonumber(ARGV[argument + 11])
end
return replies
