-- Opens epochs that were just won in Postgres, for submitters of one shard.
-- Guarantee: an epoch is opened at most once, only by its own incarnation, and under no mode but the
-- one it was won in; an older epoch, and all that is left of it, is forgotten. The same opening, run
-- again, is refused: sent twice it would issue the same nonces twice; so is one of an epoch that was
-- asked for its facts before it was opened. A shard that is marked with an
-- older mode, or with none, takes the mark of the opening's: Postgres has just said that it rules.
-- KEYS[1] mode of the shard   KEYS[2] its events
-- KEYS[3…] seven per submitter: state, free, held, snap, ops, ids0, ids1
-- ARGV[1] openings
-- ARGV[2…] per opening: epoch, incarnation, epoch of the mode, base, ceiling, floor, window end
--   (empty = none), most reserved (0 = no limit), reserved elsewhere, paused (1 or 0), loan, more free
--   (1 or 0), number of free nonces, each of them ("<nonce>", or "<nonce>t" when an earlier holder may have sent it)
-- Replies: per opening 1 opened, 0 refused

--#include incarnation.lua
--#include clock.lua
--#include free-nonces.lua

local token = incarnation_of_server()
if not token then
  return not_a_primary()
end
local now = milliseconds()

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

-- False when the shard is marked with a later mode, or drains.
local function mark_mode(epoch)
  local mark = redis.call('HMGET', KEYS[1], 'epoch', 'drain')
  local marked = tonumber(mark[1] or -1)
  -- guard mode
  if marked > tonumber(epoch) then
    return false
  end
  -- end guard mode
  if marked ~= tonumber(epoch) then
    redis.call('HSET', KEYS[1], 'epoch', epoch, 'drain', 0)
    return true
  end
  -- guard drain
  if mark[2] and mark[2] ~= '0' then
    return false
  end
  -- end guard drain
  return true
end

local function open(first_key, argument)
  local state = KEYS[first_key]
  local epoch, incarnation, mode = unpack(ARGV, argument, argument + 2)
  local base = tonumber(ARGV[argument + 3])
  -- guard incarnation
  if incarnation ~= token then
    return 0
  end
  -- end guard incarnation
  -- guard init-once
  local known = redis.call('HMGET', state, 'epoch', 'barred')
  if math.max(tonumber(known[1] or 0), tonumber(known[2] or 0)) >= tonumber(epoch) then
    return 0
  end
  -- end guard init-once
  if not mark_mode(mode) then
    return 0
  end
  local birth = birth_of(KEYS[2])
  redis.call('UNLINK', unpack(KEYS, first_key, first_key + 6))
  local free = KEYS[first_key + 1]
  add_free_nonces(free, argument + 13, tonumber(ARGV[argument + 12]), function(nonce)
    return nonce < base
  end)
  redis.call('HSET', state, 'epoch', epoch, 'inc', incarnation, 'mode', mode,
    'birth', birth, 'next', ARGV[argument + 3], 'ceiling', ARGV[argument + 4], 'gen', 1,
    'floor', ARGV[argument + 5], 'windowEnd', ARGV[argument + 6],
    'maxReserved', ARGV[argument + 7], 'reserved', ARGV[argument + 8],
    'paused', ARGV[argument + 9], 'loan', ARGV[argument + 10], 'more', ARGV[argument + 11],
    'lastGrantMs', now, 'keys', redis.call('EXISTS', free))
  return 1
end

local replies, argument = {}, 2
for i = 1, tonumber(ARGV[1]) do
  replies[i] = open(7 * i - 4, argument)
  argument = argument + 13 + tonumber(ARGV[argument + 12])
end
return replies
