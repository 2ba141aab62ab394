-- Takes what holders, and Postgres, say about grants of one shard.
-- Guarantee: only the owner token that was granted the nonce moves it; a grant that has left GRANTED
-- is moved by nobody here, Postgres decides; a nonce that may be out never becomes free. The event is
-- written before the snapshot, so a failed run is told twice at worst. Of an epoch that was handed
-- over nothing moves any more, but `look` still tells what was known.
-- KEYS[1] mode of the shard (not read)   KEYS[2] its events
-- KEYS[3…] seven per group: state, free, held, snap, ops, ids0, ids1
-- ARGV[1] groups
-- ARGV[2…] per group: submitter, epoch, incarnation, rows; per row: word (one of FAST_WORDS, or look),
--   owner token, nonce, hash, note, ttl ms, followable (1 or 0)
-- Replies: one per row, in order: {done|same|settled, fields of the grant} · {fenced} · {unknown} ·
--   {stale}

--#include incarnation.lua
--#include clock.lua
--#include submitter.lua
--#include events.lua

local token = incarnation_of_server()
if not token then
  return not_a_primary()
end
local events, now = KEYS[2], milliseconds()

-- True when it was free, and nobody else may have sent it.
local function take_out(s, nonce)
  local was_clean = redis.call('ZREM', s.free, nonce) == 1
  if was_clean then
    s.reserved = s.reserved + 1
  end
  return was_clean
end

-- Somebody has an intent for it: it must not be granted from here, not even as a replacement.
local function leave_free_set(s, nonce)
  take_out(s, nonce)
  redis.call('ZREM', s.free, nonce .. 't')
end

-- Postgres has, or will have, all that is known of it.
local function forget(s, nonce, snapshot)
  redis.call('ZREM', s.held, nonce)
  redis.call('HDEL', s.snap, nonce)
  if snapshot[OPERATION] ~= '' then
    local packed = redis.call('HGET', s.ops, snapshot[OPERATION])
    for _, bound in ipairs(packed and cmsgpack.unpack(packed)[2] or {}) do
      if bound == nonce then
        redis.call('HDEL', s.ops, snapshot[OPERATION])
      end
    end
  end
end

local function knows_hash(snapshot, hash)
  return string.find(',' .. snapshot[HASHES] .. ',', ',' .. hash .. ',', 1, true) ~= nil
end

-- Free again by the word of its holder. One that replaces an earlier holder never comes here clean.
local function set_free(s, nonce, snapshot)
  local replacement = snapshot[SOURCE] == 'p'
  redis.call('ZADD', s.free, nonce, replacement and nonce .. 't' or nonce)
  if not replacement then
    s.reserved = s.reserved - 1
  end
end

-- The stage to which a word moves a grant that its holder still has; it may stay GRANTED.
local function next_stage(row, snapshot)
  if row.word == 'submitted' then
    return 'B'
  elseif row.word == 'used' then
    local follow = row.followable and (row.hash ~= '' or snapshot[HASHES] ~= '')
    return follow and 'B' or 'A'
  elseif row.word == 'recyclable' then
    return snapshot[SOURCE] == 'p' and 'Q' or 'R'
  elseif row.word == 'quarantine' then
    return 'Q'
  end
  return 'G'
end

local function speak(s, row, snapshot)
  local stage = next_stage(row, snapshot)
  snapshot[STAGE] = stage
  snapshot[RANK] = snapshot[RANK] + 1
  if row.hash ~= '' and not knows_hash(snapshot, row.hash) then
    snapshot[HASHES] = snapshot[HASHES] == '' and row.hash or snapshot[HASHES] .. ',' .. row.hash
  end
  if row.note ~= '' then
    snapshot[NOTE] = row.note
  end
  if stage == 'G' then
    snapshot[DEADLINE] = now + row.ttl
  end
  local fields = fields_of(s, row.nonce, snapshot, now)
  if not emit(events, s, fields, now) then
    return { 'stale' }
  end
  if stage == 'G' then
    redis.call('ZADD', s.held, snapshot[DEADLINE], row.nonce)
  else
    redis.call('ZREM', s.held, row.nonce)
  end
  save_snapshot(s, row.nonce, snapshot)
  if stage == 'R' then
    set_free(s, row.nonce, snapshot)
  elseif stage == 'A' and snapshot[SOURCE] ~= 'p' then
    s.reserved = s.reserved - 1
  end
  return { 'done', fields }
end

-- Words of which the stage already says as much; what says more is for Postgres.
local function said_before(row, snapshot)
  local stage, word = snapshot[STAGE], row.word
  local known = row.hash ~= '' and knows_hash(snapshot, row.hash)
  if word == 'submitted' then
    return known and (stage == 'B' or stage == 'A')
  elseif word == 'used' then
    local nothing_new = row.hash == '' or known
    return nothing_new and (stage == 'A' or stage == 'B' and row.followable)
  elseif word == 'quarantine' then
    return stage == 'Q' or stage == 'B'
  elseif word == 'keep' or word == 'heartbeat' then
    return stage == 'B'
  end
  return false
end

-- Time for an intent by a late owner, whose own deadline may be long past.
local LATE_OWNER_MS = 10000

-- A nonce that is free goes back to its last owner, as a new grant, before anybody else gets it.
-- Under the former one Postgres could not tell its late word from one that comes too late.
local function take_back(s, row, snapshot)
  if snapshot[STAGE] ~= 'R' and snapshot[STAGE] ~= 'E' or not take_out(s, row.nonce) then
    return false
  end
  s.gen = s.gen + 1
  redis.call('HSET', s.state, 'gen', s.gen)
  snapshot[STAGE], snapshot[GENERATION], snapshot[RANK] = 'G', s.gen, 1
  snapshot[GRANTED_AT], snapshot[SOURCE], snapshot[NOTE] = now, 'c', ''
  snapshot[DEADLINE] = math.max(snapshot[DEADLINE], now + LATE_OWNER_MS)
  redis.call('ZADD', s.held, snapshot[DEADLINE], row.nonce)
  return true
end

-- A late word by which a free nonce may be out.
local function exposes(row)
  return row.word == 'quarantine' or (row.word == 'submitted' or row.word == 'used') and row.hash ~= ''
end

local function holder_says(s, row, snapshot)
  if snapshot[STAGE] == 'G' or exposes(row) and take_back(s, row, snapshot) then
    return speak(s, row, snapshot)
  end
  local said = said_before(row, snapshot) and 'same' or 'settled'
  return { said, fields_of(s, row.nonce, snapshot, now) }
end

-- Before an intent is asked of Postgres: whatever becomes of it, nothing frees the nonce here.
local function exposing(s, row, snapshot)
  local said = snapshot[STAGE] == 'X' and 'same' or 'settled'
  if snapshot[STAGE] == 'G' or take_back(s, row, snapshot) then
    snapshot[STAGE] = 'X'
    save_snapshot(s, row.nonce, snapshot)
    said = 'done'
  end
  return { said, fields_of(s, row.nonce, snapshot, now) }
end

-- Free again at once only while it is still held: one that has left comes back from Postgres with a
-- refill, and two ways back could let it be granted, sent with, and granted again.
local function released(s, row, snapshot)
  snapshot[STAGE] = 'R'
  redis.call('ZREM', s.held, row.nonce)
  save_snapshot(s, row.nonce, snapshot)
  set_free(s, row.nonce, snapshot)
  return { 'done', fields_of(s, row.nonce, snapshot, now) }
end

-- Its events may reach Postgres after the refusal and take the row over: without a last word the
-- nonce would be held where nobody is left to know of it. Where it is free it stays so, because the
-- refusal was for this token alone, and Postgres counts on it to be issued from here.
local function dropped(s, row, snapshot, fields)
  if snapshot[STAGE] == 'G' or snapshot[STAGE] == 'X' then
    snapshot[STAGE], snapshot[RANK] = 'E', snapshot[RANK] + 1
    fields = fields_of(s, row.nonce, snapshot, now)
    if not emit(events, s, fields, now) then
      return { 'stale' }
    end
    forget(s, row.nonce, snapshot)
  end
  return { 'done', fields }
end

local function postgres_says(s, row, snapshot)
  local stage, word = snapshot[STAGE], row.word
  local fields = fields_of(s, row.nonce, snapshot, now)
  local out = stage == 'B' or stage == 'A'
  if word == 'released' and stage == 'G' then
    return released(s, row, snapshot)
  elseif (word == 'released' or word == 'park') and stage == 'R' or word == 'exposed' and out then
    return { 'same', fields }
  elseif word == 'released' and out then
    return { 'settled', fields }
  end
  if word == 'drop' then
    return dropped(s, row, snapshot, fields)
  elseif word == 'exposed' then
    leave_free_set(s, row.nonce)
  end
  forget(s, row.nonce, snapshot)
  return { 'done', fields }
end

local FROM_POSTGRES = { exposed = true, released = true, drop = true, park = true }

local function answer(s, row)
  local snapshot = snapshot_of(s, row.nonce)
  if not snapshot then
    if row.word == 'exposed' then
      leave_free_set(s, row.nonce)
    end
    return { 'unknown' }
  end
  local fenced = false
  -- guard owner
  fenced = snapshot[ID] ~= row.id
  -- end guard owner
  if fenced then
    if row.word == 'exposed' and (snapshot[STAGE] == 'R' or snapshot[STAGE] == 'E') then
      leave_free_set(s, row.nonce)
    end
    return { 'fenced' }
  end
  if row.word == 'look' then
    local held = snapshot[STAGE] == 'G' or snapshot[STAGE] == 'X'
    return { held and 'same' or 'settled', fields_of(s, row.nonce, snapshot, now) }
  elseif FROM_POSTGRES[row.word] then
    return postgres_says(s, row, snapshot)
  elseif row.word == 'exposing' then
    return exposing(s, row, snapshot)
  end
  return holder_says(s, row, snapshot)
end

local replies, argument = {}, 2
for group = 1, tonumber(ARGV[1]) do
  local s = find(7 * group - 4, token, unpack(ARGV, argument, argument + 2))
  local ended = s and has_ended(s)
  local rows = tonumber(ARGV[argument + 3])
  argument = argument + 4
  for _ = 1, rows do
    if s and (not ended or ARGV[argument] == 'look') then
      replies[#replies + 1] = answer(s, {
        word = ARGV[argument], id = ARGV[argument + 1], nonce = ARGV[argument + 2],
        hash = ARGV[argument + 3], note = ARGV[argument + 4], ttl = tonumber(ARGV[argument + 5]),
        followable = ARGV[argument + 6] == '1',
      })
    else
      replies[#replies + 1] = { 'stale' }
    end
    argument = argument + 7
  end
  if s and not ended then
    leave(s)
  end
end
return replies
