-- Raises ceilings, replaces limits and adds free nonces, for submitters of one shard.
-- Guarantee: only within the epoch and incarnation they were computed for; a ceiling never falls; a
-- nonce that is held, settled or not issued yet is not made free. Limits that are older than those
-- here (a lower ceiling) are not taken over. Free nonces are taken only where the last loan taken is
-- the one they follow: an answer that was late, or lost and given again, adds nothing twice.
-- KEYS[1] mode of the shard (not read)   KEYS[2] its events (not read)
-- KEYS[3…] seven per submitter: state, free, held, snap, ops, ids0, ids1
-- ARGV[1] refills
-- ARGV[2…] per refill: epoch, incarnation, ceiling, floor, window end (empty = none), most reserved
--   (0 = no limit), reserved elsewhere, paused (1 or 0), loan they follow, loan, more free (1 or 0),
--   number of free nonces, each of them ("<nonce>", or "<nonce>t" when an earlier holder may have
--   sent it)
-- Replies: per refill 1 refilled, 0 refused, {last loan taken} all but the free nonces

--#include incarnation.lua
--#include submitter.lua
--#include free-nonces.lua

local token = incarnation_of_server()
if not token then
  return not_a_primary()
end

local IN_USE = { G = true, X = true, B = true, A = true }

local function may_be_free(s, number, nonce)
  -- guard held
  if number >= s.next or redis.call('ZSCORE', s.held, nonce) then
    return false
  end
  local packed = redis.call('HGET', s.snap, nonce)
  if packed and IN_USE[cmsgpack.unpack(packed)[1]] then
    return false
  end
  -- end guard held
  return true
end

local function refill(first_key, argument)
  local s = enter(first_key, token, '', ARGV[argument], ARGV[argument + 1])
  if not s then
    return 0
  end
  local taken = redis.call('HGET', s.state, 'loan')
  local behind = taken ~= ARGV[argument + 8]
  if not behind then
    add_free_nonces(s.free, argument + 12, tonumber(ARGV[argument + 11]), function(number, nonce)
      return may_be_free(s, number, nonce)
    end)
    redis.call('HSET', s.state, 'loan', ARGV[argument + 9])
  end
  if tonumber(ARGV[argument + 2]) >= s.ceiling then
    s.reserved = tonumber(ARGV[argument + 6]) + redis.call('ZCARD', s.held)
    redis.call('HSET', s.state, 'ceiling', ARGV[argument + 2], 'floor', ARGV[argument + 3],
      'windowEnd', ARGV[argument + 4], 'maxReserved', ARGV[argument + 5],
      'paused', ARGV[argument + 7], 'more', ARGV[argument + 10])
  end
  leave(s)
  return behind and { taken or '0' } or 1
end

local replies, argument = {}, 2
for i = 1, tonumber(ARGV[1]) do
  replies[i] = refill(7 * i - 4, argument)
  argument = argument + 12 + tonumber(ARGV[argument + 11])
end
return replies
