-- Forgets grants of which Postgres has applied the last event, for submitters of one shard.
-- Guarantee: only a grant that is settled, and of which nothing was said since that event. A nonce
-- that is free, or comes back as a free one, keeps its snapshot until it is granted again: a late
-- word of its last owner needs it.
-- KEYS[1] mode of the shard (not read)   KEYS[2] its events (not read)
-- KEYS[3…] seven per submitter: state, free, held, snap, ops, ids0, ids1
-- ARGV[1] submitters
-- ARGV[2…] per submitter: epoch, grants; per grant: nonce, generation, rank
-- Replies: how many were forgotten

--#include submitter.lua

local function is_settled(snapshot)
  local stage = snapshot[1]
  if stage == 'E' then
    return snapshot[5] == 'p' or snapshot[6] ~= 'd'
  end
  return stage == 'B' or stage == 'A' or stage == 'Q'
end

local function forget_operation(s, name, nonce)
  local packed = name ~= '' and redis.call('HGET', s.ops, name)
  for _, bound in ipairs(packed and cmsgpack.unpack(packed)[2] or {}) do
    if bound == nonce then
      redis.call('HDEL', s.ops, name)
    end
  end
end

local function prune(s, nonce, generation, rank)
  local packed = redis.call('HGET', s.snap, nonce)
  local snapshot = packed and cmsgpack.unpack(packed)
  if not snapshot or not is_settled(snapshot) then
    return 0
  end
  if snapshot[3] ~= generation or snapshot[4] ~= rank then
    return 0
  end
  redis.call('HDEL', s.snap, nonce)
  forget_operation(s, snapshot[9], nonce)
  return 1
end

local forgotten, argument = 0, 2
for i = 1, tonumber(ARGV[1]) do
  local epoch, grants = ARGV[argument], tonumber(ARGV[argument + 1])
  argument = argument + 2
  -- Any incarnation: the flush may be behind it, and forgetting what Postgres has is always right.
  local incarnation = redis.call('HGET', KEYS[7 * i - 4], 'inc')
  local s = incarnation and enter(7 * i - 4, incarnation, '', epoch, incarnation)
  for at = argument, argument + 3 * grants - 3, 3 do
    if s then
      forgotten = forgotten
        + prune(s, ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]))
    end
  end
  argument = argument + 3 * grants
  if s then
    leave(s)
  end
end
return forgotten
