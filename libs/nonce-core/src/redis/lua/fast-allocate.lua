-- Grants nonces to the waiting callers of one shard: the lowest free ones first, then fresh ones.
-- Guarantee: all or none of a row; never a nonce at or above the ceiling, below the floor, or held;
-- never by another epoch or incarnation than the view's, nor under another mode than the one it was
-- opened in, nor while the shard drains; a known id or operation is answered with what it was granted. State is written before anything is answered, so a failed run loses nonces
-- of the epoch at worst and grants none twice.
-- KEYS[1] mode of the shard   KEYS[2] its events
-- KEYS[3…] seven per group: state, free, held, snap, ops, ids0, ids1
-- ARGV[1] events that may wait; 0 = no limit   ARGV[2] groups
-- ARGV[3…] per group: submitter, epoch, incarnation, rows; per row: operation, request hash,
--   ttl ms, exposure (d, i, a), metadata, nonces wanted, one owner token for each
-- Replies: one per row, in order: {g, fresh left, free left, granted ms, deadline ms, then nonce,
--   generation, source for each} · {r, fresh left, free left, fields of each} for a known one ·
--   {f, ceiling} to be refilled · {s, reason, epoch or -1} stale (see StaleReason) · {x, code, what it was judged by}

--#include incarnation.lua
--#include clock.lua
--#include submitter.lua
--#include events.lua
--#include reclaim.lua

-- A command takes no more values than Lua's stack.
local CHUNK = 2000
-- Owner tokens are remembered in two halves: the elder one is emptied when the younger is full.
local REMEMBERED = 1024

local token = incarnation_of_server()
if not token then
  return not_a_primary()
end
local events, now = KEYS[2], milliseconds()
local mode = redis.call('HMGET', KEYS[1], 'epoch', 'drain')
local draining = false
-- guard drain
draining = mode[2] and mode[2] ~= '0'
-- end guard drain
local full = false
-- guard stream-limit
local limit = tonumber(ARGV[1])
full = limit > 0 and redis.call('XLEN', events) >= limit
-- end guard stream-limit

local function in_chunks(command, key, values)
  for first = 1, #values, CHUNK do
    redis.call(command, key, unpack(values, first, math.min(first + CHUNK - 1, #values)))
  end
end

local function read_rows(argument, count)
  local rows = {}
  for i = 1, count do
    local row = {
      operation = ARGV[argument], hash = ARGV[argument + 1], ttl = tonumber(ARGV[argument + 2]),
      exposure = ARGV[argument + 3], metadata = ARGV[argument + 4],
      count = tonumber(ARGV[argument + 5]), ids = argument + 6,
    }
    rows[i] = row
    argument = argument + 6 + row.count
  end
  return rows, argument
end

-- Owner tokens of the group that were granted a nonce before.
local function known_ids(s, rows)
  local ids, known = {}, {}
  for _, row in ipairs(rows) do
    for i = row.ids, row.ids + row.count - 1 do
      ids[#ids + 1] = ARGV[i]
    end
  end
  for first = 1, #ids, CHUNK do
    local last = math.min(first + CHUNK - 1, #ids)
    for half = 0, 1 do
      local nonces = redis.call('HMGET', s.ids[half], unpack(ids, first, last))
      for i, nonce in ipairs(nonces) do
        known[ids[first + i - 1]] = nonce or known[ids[first + i - 1]]
      end
    end
  end
  return known
end

-- What a group is about to write; `snapshots` is by nonce, so that its later rows see it.
local function new_plan(s, rows)
  local wanted = 0
  for _, row in ipairs(rows) do
    wanted = wanted + row.count
  end
  return {
    known = known_ids(s, rows), wanted = wanted, free = nil, taken = 0, next = math.max(s.next, s.floor),
    gen = s.gen, reserved = s.reserved, snapshots = {}, operations = {}, grants = {}, cleared = {},
    members = {},
  }
end

-- Grants of earlier calls that still stand for these nonces, or nil.
local function standing(s, plan, nonces, belongs)
  local found = {}
  for i, nonce in ipairs(nonces) do
    local snapshot = plan.snapshots[nonce] or snapshot_of(s, nonce)
    local ended = snapshot and (snapshot[STAGE] == 'R' or snapshot[STAGE] == 'E')
    if not snapshot or ended or not belongs(snapshot, i) then
      return nil
    end
    found[i] = { nonce, snapshot }
  end
  return found
end

-- The answer to a row that was answered before; nil when it is new. Tokens of grants that have ended
-- are refused: one token stands for one nonce.
local function seen_before(s, plan, row)
  local nonces, known = {}, false
  for i = 1, row.count do
    nonces[i] = plan.known[ARGV[row.ids + i - 1]]
    known = known or nonces[i]
  end
  local found = #nonces == row.count and standing(s, plan, nonces, function(snapshot, i)
    return snapshot[ID] == ARGV[row.ids + i - 1] and snapshot[STAGE] ~= 'E'
  end)
  if known and not found then
    return nil, 'NONCE_ALLOCATION_CLOSED'
  end
  if found or row.operation == '' then
    return found
  end
  local packed = plan.operations[row.operation] or redis.call('HGET', s.ops, row.operation)
  if not packed then
    return nil
  end
  local operation = cmsgpack.unpack(packed)
  found = standing(s, plan, operation[2], function(snapshot)
    return snapshot[OPERATION] == row.operation
  end)
  if not found then
    return nil
  end
  local same = operation[1] == row.hash or operation[1] == '' or row.hash == ''
  return found, (#operation[2] ~= row.count or not same) and 'NONCE_IDEMPOTENCY_REUSED'
end

local function load_free(s, plan)
  plan.free = redis.call('ZRANGEBYSCORE', s.free, s.floor, '+inf', 'LIMIT', 0, plan.wanted)
  plan.free_count = #plan.free
  if #plan.free == plan.wanted then
    plan.free_count = redis.call('ZCOUNT', s.free, s.floor, '+inf')
  end
end

-- Why so many fresh nonces cannot be issued; nil when they can.
local function refusal(s, plan, fresh)
  if s.more then
    return { 'f', s.ceiling }
  end
  if s.windowEnd then
    if plan.next + fresh > s.windowEnd then
      return { 'x', 'NONCE_IN_FLIGHT_LIMIT', math.max(0, s.windowEnd - plan.next) }
    end
  elseif s.maxReserved > 0 then
    local room = s.maxReserved - plan.reserved
    if fresh > room then
      return { 'x', 'NONCE_IN_FLIGHT_LIMIT', math.max(0, room) }
    end
  end
  -- guard ceiling
  if plan.next + fresh > s.ceiling then
    return { 'f', s.ceiling }
  end
  -- end guard ceiling
  return nil
end

-- The next nonce of a row that may have one: as text, and where it came from.
local function take(plan)
  local member = plan.free[plan.taken + 1]
  if not member then
    local nonce = text(plan.next)
    plan.next = plan.next + 1
    plan.reserved = plan.reserved + 1
    return nonce, 'f'
  end
  plan.taken = plan.taken + 1
  plan.members[plan.taken] = member
  if string.sub(member, -1) == 't' then
    return string.sub(member, 1, -2), 'p'
  end
  plan.reserved = plan.reserved + 1
  return member, 'c'
end

local function grant(s, plan, row)
  local reply = { 'g', 0, 0, now, now + row.ttl }
  local nonces = {}
  for i = 1, row.count do
    local nonce, source = take(plan)
    plan.gen = plan.gen + 1
    if plan.gen % REMEMBERED == 0 then
      plan.cleared[(plan.gen / REMEMBERED) % 2] = #plan.grants
    end
    local snapshot = {
      'G', ARGV[row.ids + i - 1], plan.gen, 1, source, row.exposure, now, now + row.ttl,
      row.operation, row.metadata, '', '',
    }
    plan.snapshots[nonce] = snapshot
    plan.known[snapshot[ID]] = nonce
    plan.grants[#plan.grants + 1] = { nonce, snapshot }
    nonces[i] = nonce
    local at = 3 + 3 * i
    reply[at], reply[at + 1], reply[at + 2] = nonce, plan.gen, source
  end
  if row.operation ~= '' then
    plan.operations[row.operation] = cmsgpack.pack({ row.hash, nonces })
  end
  return reply
end

local function answer(s, plan, row)
  local found, refused_by = seen_before(s, plan, row)
  if refused_by then
    return { 'x', refused_by, 0 }
  end
  local reply
  if found then
    reply = { 'r', 0, 0 }
    for i, pair in ipairs(found) do
      reply[3 + i] = fields_of(s, pair[1], pair[2], now)
    end
  elseif full then
    return { 'x', 'NONCE_BACKPRESSURE', limit }
  elseif s.paused then
    return { 'x', 'NONCE_PAUSED', 0 }
  else
    if not plan.free then
      load_free(s, plan)
    end
    local fresh = math.max(0, row.count - (#plan.free - plan.taken))
    local refused = fresh > 0 and refusal(s, plan, fresh)
    if refused then
      return refused
    end
    reply = grant(s, plan, row)
  end
  reply[2] = math.max(0, s.ceiling - plan.next)
  reply[3] = plan.free and plan.free_count - plan.taken or 0
  return reply
end

-- False when the stream of events is lost; then nothing has been written.
local function write(s, plan)
  local grants = plan.grants
  if not emit(events, s, fields_of(s, grants[1][1], grants[1][2], now), now) then
    return false
  end
  redis.call('HSET', s.state, 'next', plan.next, 'gen', plan.gen, 'reserved', plan.reserved,
    'lastGrantMs', time_text(now), 'lastEvent', s.said, 'lastEvents', #grants)
  s.reserved, s.reserved_before = plan.reserved, plan.reserved
  if plan.taken > 0 then
    in_chunks('ZREM', s.free, plan.members)
  end
  local snapshots, held, ids = {}, {}, { [0] = {}, {} }
  for i, pair in ipairs(grants) do
    local nonce, snapshot = pair[1], pair[2]
    if i > 1 then
      emit(events, s, fields_of(s, nonce, snapshot, now), now)
    end
    local half = math.floor(snapshot[GENERATION] / REMEMBERED) % 2
    if (plan.cleared[half] or 0) < i then
      local list = ids[half]
      list[#list + 1], list[#list + 2] = snapshot[ID], nonce
    end
    local at = 2 * i - 1
    snapshots[at], snapshots[at + 1] = nonce, pack_snapshot(s, snapshot)
    held[at], held[at + 1] = time_text(snapshot[DEADLINE]), nonce
  end
  in_chunks('HSET', s.snap, snapshots)
  in_chunks('ZADD', s.held, held)
  for half = 0, 1 do
    if plan.cleared[half] then
      redis.call('UNLINK', s.ids[half])
    end
    in_chunks('HSET', s.ids[half], ids[half])
  end
  for name, packed in pairs(plan.operations) do
    redis.call('HSET', s.ops, name, packed)
  end
  s.said = nil
  return true
end

-- A mark that is gone may have been of a later mode.
local function is_of_another_mode(s)
  local other = false
  -- guard mode
  other = s.mode ~= mode[1]
  -- end guard mode
  return other
end

local replies = {}

local function answer_group(s, rows)
  if not reclaim(events, s, now, #rows) then
    return false
  end
  local plan = new_plan(s, rows)
  local answers = {}
  for i, row in ipairs(rows) do
    answers[i] = answer(s, plan, row)
  end
  if #plan.grants > 0 and not write(s, plan) then
    return false
  end
  leave(s)
  for _, reply in ipairs(answers) do
    replies[#replies + 1] = reply
  end
  return true
end

local argument = 3
for group = 1, tonumber(ARGV[2]) do
  local epoch = ARGV[argument + 1]
  local s, reason, ruling = enter(7 * group - 4, token, unpack(ARGV, argument, argument + 2))
  local rows
  rows, argument = read_rows(argument + 4, tonumber(ARGV[argument + 3]))
  if draining and reason ~= 'incarnation' then
    s, reason, ruling = nil, 'drain', ruling or tonumber(epoch)
  elseif s and is_of_another_mode(s) then
    s, reason, ruling = nil, 'mode', tonumber(epoch)
  end
  if s and not answer_group(s, rows) then
    s, reason, ruling = nil, 'absent', tonumber(epoch)
  end
  if not s then
    for _ = 1, #rows do
      replies[#replies + 1] = { 's', reason, ruling }
    end
  end
end
return replies
