// Generated from redis/lua/*.lua by `npm run generate`. Edit the .lua files, not this one.

export interface LuaScript {
  readonly file: string;
  readonly text: string;
  /** Digest for EVALSHA. */
  readonly sha1: string;
}

export const LUA = {
  extendLock: {
    file: 'extend-lock.lua',
    sha1: 'a3e38c8c6617830c705877c0303cd63d634cde54',
    text: `-- Moves the expiry of a lock, if it is still held by this owner.
-- Guarantee: never extends the lock of another owner, and never takes a lock that has expired.
-- KEYS[1] the lock
-- ARGV[1] owner token
-- ARGV[2] time to live from now, milliseconds
-- Replies: 1 extended, 0 not ours any more
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 0`,
  },
  fastAllocate: {
    file: 'fast-allocate.lua',
    sha1: '2c82255f8a457f77aedba9c7ebdd353bee984d89',
    text: `-- Grants nonces to the waiting callers of one shard: the lowest free ones first, then fresh ones.
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

-- The word behind a field of INFO. Found as plain text: a pattern would be tried at every character,
-- which cost more than all the rest of a grant.
local function field_of(info, name)
  local _, last = string.find(info, '\\n' .. name .. ':', 1, true)
  return last and string.match(info, '^%w+', last + 1)
end

-- Proof that this is the same uninterrupted primary; nil when a part of it is missing, or when this
-- is no primary. A restart changes the run id; a failover, a demotion or a fail-back the rest.
local function incarnation_of_server()
  local info = redis.call('INFO', 'server', 'replication')
  local run_id = field_of(info, 'run_id')
  local replid = field_of(info, 'master_replid')
  local role = field_of(info, 'role')
  if not run_id or not replid or role ~= 'master' then
    return nil
  end
  return run_id .. ':' .. replid .. ':' .. role
end

-- A refusal by which the client looks for the primary again; nothing has been written.
local function not_a_primary()
  return redis.error_reply('READONLY this is not a primary whose incarnation is known')
end
-- Milliseconds since 1970 by this server's clock, the same for everything in one run.
local function milliseconds()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
-- The keys of one submitter, as a run finds and leaves them. Wants incarnation.lua.
--
-- Numbers are doubles: exact up to 2^53, but tostring() and the .. operator keep 14 digits only.
-- So nonces are passed to commands as numbers or as text made by '%.0f', never by these two.
local function text(number)
  return string.format('%.0f', number)
end

-- The same few times stand in all that one run writes.
local time_texts = {}
local function time_text(ms)
  local known = time_texts[ms]
  if not known then
    known = text(ms)
    time_texts[ms] = known
  end
  return known
end

local function existing_keys(s)
  return redis.call('EXISTS', s.free, s.held, s.snap, s.ops, s.ids[0], s.ids[1])
end

-- What stands behind a view, ended or not; or nil, why not, and the epoch that rules here.
-- A key that is gone without the run that ended it makes the whole epoch unusable: what it held
-- cannot be told any more, and a wrong guess would be a second grant of the same nonce.
local function find(first_key, token, submitter, epoch, incarnation)
  -- guard incarnation
  if incarnation ~= token then
    return nil, 'incarnation', -1
  end
  -- end guard incarnation
  local found = redis.call('HMGET', KEYS[first_key], 'epoch', 'inc', 'mode', 'birth', 'next',
    'ceiling', 'gen', 'floor', 'windowEnd', 'maxReserved', 'reserved', 'paused', 'more', 'keys',
    'handed')
  if not found[1] then
    return nil, 'absent', -1
  end
  local ruling = tonumber(found[1])
  -- guard incarnation
  if found[2] ~= token then
    return nil, 'incarnation', ruling
  end
  -- end guard incarnation
  -- guard epoch
  if found[1] ~= epoch then
    return nil, 'epoch', ruling
  end
  -- end guard epoch
  if not (found[3] and found[4] and found[5] and found[6] and found[7] and found[11] and found[14]) then
    return nil, redis.call('HEXISTS', KEYS[first_key], 'retired') == 1 and 'epoch' or 'absent', ruling
  end
  local reserved = tonumber(found[11])
  local s = {
    submitter = submitter, epoch = found[1], mode = found[3], birth = found[4],
    next = tonumber(found[5]), ceiling = tonumber(found[6]), gen = tonumber(found[7]),
    floor = tonumber(found[8]), windowEnd = tonumber(found[9]), maxReserved = tonumber(found[10]),
    reserved = reserved, reserved_before = reserved, paused = found[12] == '1',
    more = found[13] == '1', keys = tonumber(found[14]), handed = found[15],
    state = KEYS[first_key], free = KEYS[first_key + 1], held = KEYS[first_key + 2],
    snap = KEYS[first_key + 3], ops = KEYS[first_key + 4],
    ids = { [0] = KEYS[first_key + 5], KEYS[first_key + 6] },
  }
  -- guard lost-key
  if existing_keys(s) ~= s.keys then
    return nil, 'absent', ruling
  end
  -- end guard lost-key
  return s
end

-- True once all that is known of it was told to Postgres, which alone decides from then on.
local function has_ended(s)
  local ended = false
  -- guard handed-over
  ended = s.handed
  -- end guard handed-over
  return ended
end

-- What stands behind a view whose epoch goes on here; else as find().
local function enter(...)
  local s, reason, ruling = find(...)
  if s and has_ended(s) then
    return nil, 'epoch', tonumber(s.epoch)
  end
  return s, reason, ruling
end

-- Writes what the run has changed beside the grants themselves.
local function leave(s)
  local keys = existing_keys(s)
  if keys ~= s.keys or s.reserved ~= s.reserved_before then
    redis.call('HSET', s.state, 'keys', keys, 'reserved', s.reserved)
  end
  if s.said then
    redis.call('HSET', s.state, 'lastEvent', s.said, 'lastEvents', 1)
  end
end
-- Snapshots of grants, and the events that carry them to Postgres. Wants submitter.lua.
--
-- A snapshot is packed in this order: stage, id, generation, rank, source, exposure, granted ms
-- (since the birth of the stream), deadline ms (since granted), operation, metadata, hashes, note.
-- Absent texts are empty. Stages: G granted, X exposing (held until its deadline, but only Postgres
-- decides), B broadcast, A asserted, R reusable (free here), Q quarantined, E expired.
local STAGE, ID, GENERATION, RANK, SOURCE, EXPOSURE = 1, 2, 3, 4, 5, 6
local GRANTED_AT, DEADLINE, OPERATION, METADATA, HASHES, NOTE = 7, 8, 9, 10, 11, 12

local OPTIONAL = { [OPERATION] = 'p', [METADATA] = 'm', [HASHES] = 'h', [NOTE] = 'w' }

-- Times are packed as the distance from one that is known: with them whole a snapshot is larger than
-- what a small hash keeps in its compact form (64 bytes), which costs half as much memory.
local function pack_snapshot(s, snapshot)
  local granted_at, deadline = snapshot[GRANTED_AT], snapshot[DEADLINE]
  snapshot[GRANTED_AT], snapshot[DEADLINE] = granted_at - s.birth, deadline - granted_at
  local packed = cmsgpack.pack(snapshot)
  snapshot[GRANTED_AT], snapshot[DEADLINE] = granted_at, deadline
  return packed
end

local function unpack_snapshot(s, packed)
  local snapshot = cmsgpack.unpack(packed)
  snapshot[GRANTED_AT] = snapshot[GRANTED_AT] + s.birth
  snapshot[DEADLINE] = snapshot[DEADLINE] + snapshot[GRANTED_AT]
  return snapshot
end

local function snapshot_of(s, nonce)
  local packed = redis.call('HGET', s.snap, nonce)
  return packed and unpack_snapshot(s, packed)
end

local function save_snapshot(s, nonce, snapshot)
  redis.call('HSET', s.snap, nonce, pack_snapshot(s, snapshot))
end

-- Names and values in turn, as flush-event-fields.ts reads them. All that every event has stands in
-- one value: with a field of its own for each an XADD took half as long again, and a read five times.
local function fields_of(s, nonce, snapshot, now)
  local stage, granted_at = snapshot[STAGE], snapshot[GRANTED_AT]
  local fields = { 's', s.submitter, 'n', nonce, 'v', string.format(
    '%s %d %d %s%s%s %s %s %d %d', s.epoch, snapshot[GENERATION], snapshot[RANK],
    stage == 'X' and 'G' or stage, snapshot[SOURCE], snapshot[EXPOSURE], snapshot[ID],
    time_text(granted_at), snapshot[DEADLINE] - granted_at, now - granted_at
  ) }
  for part = OPERATION, NOTE do
    if snapshot[part] ~= '' then
      fields[#fields + 1] = OPTIONAL[part]
      fields[#fields + 1] = snapshot[part]
    end
  end
  return fields
end

-- Ids of a stream are "<birth>-<count>". Whoever opens an epoch remembers the birth, so that a
-- stream that was deleted with its events is noticed: it is absent, or it counts from 0 again, or
-- it was born later. Returns false then, and sees to it that every other submitter notices too.
local function emit(events, s, fields, now)
  local id = redis.pcall('XADD', events, 'NOMKSTREAM', s.birth .. '-*', unpack(fields))
  if not id then
    return false
  end
  if type(id) == 'table' then
    if string.find(id.err, 'equal or smaller', 1, true) then
      return false
    end
    -- Nothing was written by it: once more, to fail with the server's own words.
    return redis.call('XADD', events, 'NOMKSTREAM', s.birth .. '-*', unpack(fields))
  end
  if string.sub(id, -2) == '-0' then
    redis.call('XDEL', events, id)
    local marker = text(math.max(now, tonumber(s.birth) + 1)) .. '-0'
    redis.call('XADD', events, marker, 'born', '1')
    redis.call('XDEL', events, marker)
    return false
  end
  s.said = id
  return true
end
-- Wants events.lua. Ends reservations past their deadline, at most \`limit\`. None becomes free here:
-- whether its holder had an intent written only Postgres knows.
-- Returns how many, or nil when the stream of events is lost.
local function reclaim(events, s, now, limit)
  local due = redis.call('ZRANGEBYSCORE', s.held, '-inf', now, 'LIMIT', 0, limit)
  for _, nonce in ipairs(due) do
    local snapshot = snapshot_of(s, nonce)
    snapshot[STAGE] = 'E'
    snapshot[RANK] = snapshot[RANK] + 1
    if not emit(events, s, fields_of(s, nonce, snapshot, now), now) then
      return nil
    end
    redis.call('ZREM', s.held, nonce)
    save_snapshot(s, nonce, snapshot)
  end
  return #due
end

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

-- What a group is about to write; \`snapshots\` is by nonce, so that its later rows see it.
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
return replies`,
  },
  fastCanary: {
    file: 'fast-canary.lua',
    sha1: 'dd040feaefdab2ca63fe8d2ac6bfec11d7d15124',
    text: `-- Proves that one shard can serve: its server is a primary of a known incarnation that evicts nothing,
-- and takes and gives back what is written.
-- Guarantee: leaves the shard as it was.
-- KEYS[1] mode of the shard
-- ARGV[1] what to write
-- Replies: what was read back

-- The word behind a field of INFO. Found as plain text: a pattern would be tried at every character,
-- which cost more than all the rest of a grant.
local function field_of(info, name)
  local _, last = string.find(info, '\\n' .. name .. ':', 1, true)
  return last and string.match(info, '^%w+', last + 1)
end

-- Proof that this is the same uninterrupted primary; nil when a part of it is missing, or when this
-- is no primary. A restart changes the run id; a failover, a demotion or a fail-back the rest.
local function incarnation_of_server()
  local info = redis.call('INFO', 'server', 'replication')
  local run_id = field_of(info, 'run_id')
  local replid = field_of(info, 'master_replid')
  local role = field_of(info, 'role')
  if not run_id or not replid or role ~= 'master' then
    return nil
  end
  return run_id .. ':' .. replid .. ':' .. role
end

-- A refusal by which the client looks for the primary again; nothing has been written.
local function not_a_primary()
  return redis.error_reply('READONLY this is not a primary whose incarnation is known')
end

if not incarnation_of_server() then
  return not_a_primary()
end
local memory = redis.call('INFO', 'memory')
local _, last = string.find(memory, '\\nmaxmemory_policy:', 1, true)
local policy = last and string.match(memory, '^[%w-]+', last + 1)
if policy and policy ~= 'noeviction' then
  return redis.error_reply('EVICTION maxmemory-policy is ' .. policy .. ', not noeviction')
end
redis.call('HSET', KEYS[1], 'canary', ARGV[1])
local read = redis.call('HGET', KEYS[1], 'canary')
redis.call('HDEL', KEYS[1], 'canary')
return read`,
  },
  fastForget: {
    file: 'fast-forget.lua',
    sha1: '2bbf3fc386ce16711ad1a44978026f8ca150ae57',
    text: `-- Drops what is kept of epochs that were handed over, for submitters of one shard.
-- Guarantee: only of such an epoch, and that it was stays known: it is not opened again.
-- KEYS[1] mode of the shard (not read)   KEYS[2] its events (not read)
-- KEYS[3…] seven per submitter: state, free, held, snap, ops, ids0, ids1
-- ARGV[1] submitters
-- ARGV[2…] per submitter: epoch
-- Replies: how many were dropped

local dropped = 0
for i = 1, tonumber(ARGV[1]) do
  local first = 7 * i - 4
  local found = redis.call('HMGET', KEYS[first], 'epoch', 'inc', 'handed')
  -- Any incarnation: Postgres has all of it, whatever became of the server since.
  if found[1] == ARGV[i + 1] and found[2] and found[3] then
    redis.call('UNLINK', unpack(KEYS, first, first + 6))
    redis.call('HSET', KEYS[first], 'epoch', found[1], 'inc', found[2], 'retired', 1)
    dropped = dropped + 1
  end
end
return dropped`,
  },
  fastHandOver: {
    file: 'fast-hand-over.lua',
    sha1: 'fcc38fec78f1f328316d58ba1a755fa8d2780506',
    text: `-- Ends epochs of one shard and tells all that is known of them, for Postgres to go on from there.
-- Guarantee: from the first run on nothing is granted, settled, freed or pruned in such an epoch, and
-- what is told of it stays the same until it is forgotten, whoever asks; one that was won in Postgres
-- and has not been opened here yet is not opened any more. Facts come in pages: a run
-- tells about \`ARGV[1]\` of them and where to go on; some may come twice. An epoch that was retired idle
-- has none: Postgres had applied them all.
-- KEYS[1] mode of the shard (not read)   KEYS[2] its events (not read)
-- KEYS[3…] seven per submitter: state, free, held, snap, ops, ids0, ids1
-- ARGV[1] facts of one run   ARGV[2] submitters
-- ARGV[3…] per submitter: its text, epoch, incarnation, where to go on (0 = from the start)
-- Replies: per submitter {first nonce that was never issued, where to go on (empty = that was all),
--   fields of each grant} · -1 another epoch or incarnation rules, or something of it is lost

-- The word behind a field of INFO. Found as plain text: a pattern would be tried at every character,
-- which cost more than all the rest of a grant.
local function field_of(info, name)
  local _, last = string.find(info, '\\n' .. name .. ':', 1, true)
  return last and string.match(info, '^%w+', last + 1)
end

-- Proof that this is the same uninterrupted primary; nil when a part of it is missing, or when this
-- is no primary. A restart changes the run id; a failover, a demotion or a fail-back the rest.
local function incarnation_of_server()
  local info = redis.call('INFO', 'server', 'replication')
  local run_id = field_of(info, 'run_id')
  local replid = field_of(info, 'master_replid')
  local role = field_of(info, 'role')
  if not run_id or not replid or role ~= 'master' then
    return nil
  end
  return run_id .. ':' .. replid .. ':' .. role
end

-- A refusal by which the client looks for the primary again; nothing has been written.
local function not_a_primary()
  return redis.error_reply('READONLY this is not a primary whose incarnation is known')
end
-- Milliseconds since 1970 by this server's clock, the same for everything in one run.
local function milliseconds()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
-- The keys of one submitter, as a run finds and leaves them. Wants incarnation.lua.
--
-- Numbers are doubles: exact up to 2^53, but tostring() and the .. operator keep 14 digits only.
-- So nonces are passed to commands as numbers or as text made by '%.0f', never by these two.
local function text(number)
  return string.format('%.0f', number)
end

-- The same few times stand in all that one run writes.
local time_texts = {}
local function time_text(ms)
  local known = time_texts[ms]
  if not known then
    known = text(ms)
    time_texts[ms] = known
  end
  return known
end

local function existing_keys(s)
  return redis.call('EXISTS', s.free, s.held, s.snap, s.ops, s.ids[0], s.ids[1])
end

-- What stands behind a view, ended or not; or nil, why not, and the epoch that rules here.
-- A key that is gone without the run that ended it makes the whole epoch unusable: what it held
-- cannot be told any more, and a wrong guess would be a second grant of the same nonce.
local function find(first_key, token, submitter, epoch, incarnation)
  -- guard incarnation
  if incarnation ~= token then
    return nil, 'incarnation', -1
  end
  -- end guard incarnation
  local found = redis.call('HMGET', KEYS[first_key], 'epoch', 'inc', 'mode', 'birth', 'next',
    'ceiling', 'gen', 'floor', 'windowEnd', 'maxReserved', 'reserved', 'paused', 'more', 'keys',
    'handed')
  if not found[1] then
    return nil, 'absent', -1
  end
  local ruling = tonumber(found[1])
  -- guard incarnation
  if found[2] ~= token then
    return nil, 'incarnation', ruling
  end
  -- end guard incarnation
  -- guard epoch
  if found[1] ~= epoch then
    return nil, 'epoch', ruling
  end
  -- end guard epoch
  if not (found[3] and found[4] and found[5] and found[6] and found[7] and found[11] and found[14]) then
    return nil, redis.call('HEXISTS', KEYS[first_key], 'retired') == 1 and 'epoch' or 'absent', ruling
  end
  local reserved = tonumber(found[11])
  local s = {
    submitter = submitter, epoch = found[1], mode = found[3], birth = found[4],
    next = tonumber(found[5]), ceiling = tonumber(found[6]), gen = tonumber(found[7]),
    floor = tonumber(found[8]), windowEnd = tonumber(found[9]), maxReserved = tonumber(found[10]),
    reserved = reserved, reserved_before = reserved, paused = found[12] == '1',
    more = found[13] == '1', keys = tonumber(found[14]), handed = found[15],
    state = KEYS[first_key], free = KEYS[first_key + 1], held = KEYS[first_key + 2],
    snap = KEYS[first_key + 3], ops = KEYS[first_key + 4],
    ids = { [0] = KEYS[first_key + 5], KEYS[first_key + 6] },
  }
  -- guard lost-key
  if existing_keys(s) ~= s.keys then
    return nil, 'absent', ruling
  end
  -- end guard lost-key
  return s
end

-- True once all that is known of it was told to Postgres, which alone decides from then on.
local function has_ended(s)
  local ended = false
  -- guard handed-over
  ended = s.handed
  -- end guard handed-over
  return ended
end

-- What stands behind a view whose epoch goes on here; else as find().
local function enter(...)
  local s, reason, ruling = find(...)
  if s and has_ended(s) then
    return nil, 'epoch', tonumber(s.epoch)
  end
  return s, reason, ruling
end

-- Writes what the run has changed beside the grants themselves.
local function leave(s)
  local keys = existing_keys(s)
  if keys ~= s.keys or s.reserved ~= s.reserved_before then
    redis.call('HSET', s.state, 'keys', keys, 'reserved', s.reserved)
  end
  if s.said then
    redis.call('HSET', s.state, 'lastEvent', s.said, 'lastEvents', 1)
  end
end
-- Snapshots of grants, and the events that carry them to Postgres. Wants submitter.lua.
--
-- A snapshot is packed in this order: stage, id, generation, rank, source, exposure, granted ms
-- (since the birth of the stream), deadline ms (since granted), operation, metadata, hashes, note.
-- Absent texts are empty. Stages: G granted, X exposing (held until its deadline, but only Postgres
-- decides), B broadcast, A asserted, R reusable (free here), Q quarantined, E expired.
local STAGE, ID, GENERATION, RANK, SOURCE, EXPOSURE = 1, 2, 3, 4, 5, 6
local GRANTED_AT, DEADLINE, OPERATION, METADATA, HASHES, NOTE = 7, 8, 9, 10, 11, 12

local OPTIONAL = { [OPERATION] = 'p', [METADATA] = 'm', [HASHES] = 'h', [NOTE] = 'w' }

-- Times are packed as the distance from one that is known: with them whole a snapshot is larger than
-- what a small hash keeps in its compact form (64 bytes), which costs half as much memory.
local function pack_snapshot(s, snapshot)
  local granted_at, deadline = snapshot[GRANTED_AT], snapshot[DEADLINE]
  snapshot[GRANTED_AT], snapshot[DEADLINE] = granted_at - s.birth, deadline - granted_at
  local packed = cmsgpack.pack(snapshot)
  snapshot[GRANTED_AT], snapshot[DEADLINE] = granted_at, deadline
  return packed
end

local function unpack_snapshot(s, packed)
  local snapshot = cmsgpack.unpack(packed)
  snapshot[GRANTED_AT] = snapshot[GRANTED_AT] + s.birth
  snapshot[DEADLINE] = snapshot[DEADLINE] + snapshot[GRANTED_AT]
  return snapshot
end

local function snapshot_of(s, nonce)
  local packed = redis.call('HGET', s.snap, nonce)
  return packed and unpack_snapshot(s, packed)
end

local function save_snapshot(s, nonce, snapshot)
  redis.call('HSET', s.snap, nonce, pack_snapshot(s, snapshot))
end

-- Names and values in turn, as flush-event-fields.ts reads them. All that every event has stands in
-- one value: with a field of its own for each an XADD took half as long again, and a read five times.
local function fields_of(s, nonce, snapshot, now)
  local stage, granted_at = snapshot[STAGE], snapshot[GRANTED_AT]
  local fields = { 's', s.submitter, 'n', nonce, 'v', string.format(
    '%s %d %d %s%s%s %s %s %d %d', s.epoch, snapshot[GENERATION], snapshot[RANK],
    stage == 'X' and 'G' or stage, snapshot[SOURCE], snapshot[EXPOSURE], snapshot[ID],
    time_text(granted_at), snapshot[DEADLINE] - granted_at, now - granted_at
  ) }
  for part = OPERATION, NOTE do
    if snapshot[part] ~= '' then
      fields[#fields + 1] = OPTIONAL[part]
      fields[#fields + 1] = snapshot[part]
    end
  end
  return fields
end

-- Ids of a stream are "<birth>-<count>". Whoever opens an epoch remembers the birth, so that a
-- stream that was deleted with its events is noticed: it is absent, or it counts from 0 again, or
-- it was born later. Returns false then, and sees to it that every other submitter notices too.
local function emit(events, s, fields, now)
  local id = redis.pcall('XADD', events, 'NOMKSTREAM', s.birth .. '-*', unpack(fields))
  if not id then
    return false
  end
  if type(id) == 'table' then
    if string.find(id.err, 'equal or smaller', 1, true) then
      return false
    end
    -- Nothing was written by it: once more, to fail with the server's own words.
    return redis.call('XADD', events, 'NOMKSTREAM', s.birth .. '-*', unpack(fields))
  end
  if string.sub(id, -2) == '-0' then
    redis.call('XDEL', events, id)
    local marker = text(math.max(now, tonumber(s.birth) + 1)) .. '-0'
    redis.call('XADD', events, marker, 'born', '1')
    redis.call('XDEL', events, marker)
    return false
  end
  s.said = id
  return true
end

local token = incarnation_of_server()
if not token then
  return not_a_primary()
end
local now, left = milliseconds(), tonumber(ARGV[1])

local function end_epoch(s)
  if s.handed then
    return
  end
  s.handed = now
  redis.call('HSET', s.state, 'handed', now)
end

-- Whoever won it may be on the way to open it, and would grant what Postgres is about to give away.
local function bar(state, epoch, incarnation)
  -- guard unopened
  local found = redis.call('HMGET', state, 'epoch', 'barred')
  local last = math.max(tonumber(found[1] or 0), tonumber(found[2] or 0))
  if incarnation == token and last < tonumber(epoch) then
    redis.call('HSET', state, 'barred', epoch)
  end
  -- end guard unopened
end

local function retired_at(state, epoch, incarnation)
  local found = redis.call('HMGET', state, 'epoch', 'inc', 'retired', 'next')
  if found[3] and found[4] and found[1] == epoch and found[2] == incarnation and incarnation == token then
    return tonumber(found[4])
  end
  return nil
end

local function tell(s, cursor)
  local reply = { s.next, cursor }
  if left <= 0 then
    return reply
  end
  local page = redis.call('HSCAN', s.snap, cursor, 'COUNT', left)
  local pairs_of_page = page[2]
  for i = 1, #pairs_of_page, 2 do
    local snapshot = unpack_snapshot(s, pairs_of_page[i + 1])
    reply[#reply + 1] = fields_of(s, pairs_of_page[i], snapshot, tonumber(s.handed))
  end
  left = left - #pairs_of_page / 2
  reply[2] = page[1] == '0' and '' or page[1]
  return reply
end

local replies = {}
for i = 1, tonumber(ARGV[2]) do
  local submitter, epoch, incarnation, cursor = unpack(ARGV, 4 * i - 1, 4 * i + 2)
  local s = find(7 * i - 4, token, submitter, epoch, incarnation)
  if s then
    end_epoch(s)
    replies[i] = tell(s, cursor)
  else
    local next = retired_at(KEYS[7 * i - 4], epoch, incarnation)
    bar(KEYS[7 * i - 4], epoch, incarnation)
    replies[i] = next and { next, '' } or -1
  end
end
return replies`,
  },
  fastIncarnation: {
    file: 'fast-incarnation.lua',
    sha1: 'a098ca527bb910fea4f3bb8410eb156acef082b5',
    text: `-- Tells the incarnation of the primary that serves one shard.
-- Guarantee: the same text as the other scripts compare; an error when this is not a primary.
-- KEYS[1] any key of the shard
-- ARGV none
-- Replies: run id, replication id and role, joined by colons

-- The word behind a field of INFO. Found as plain text: a pattern would be tried at every character,
-- which cost more than all the rest of a grant.
local function field_of(info, name)
  local _, last = string.find(info, '\\n' .. name .. ':', 1, true)
  return last and string.match(info, '^%w+', last + 1)
end

-- Proof that this is the same uninterrupted primary; nil when a part of it is missing, or when this
-- is no primary. A restart changes the run id; a failover, a demotion or a fail-back the rest.
local function incarnation_of_server()
  local info = redis.call('INFO', 'server', 'replication')
  local run_id = field_of(info, 'run_id')
  local replid = field_of(info, 'master_replid')
  local role = field_of(info, 'role')
  if not run_id or not replid or role ~= 'master' then
    return nil
  end
  return run_id .. ':' .. replid .. ':' .. role
end

-- A refusal by which the client looks for the primary again; nothing has been written.
local function not_a_primary()
  return redis.error_reply('READONLY this is not a primary whose incarnation is known')
end

return incarnation_of_server() or not_a_primary()`,
  },
  fastMode: {
    file: 'fast-mode.lua',
    sha1: '65a9a5be89765b8c270db6384e69abbf74c56fbb',
    text: `-- Marks one shard with the epoch of the mode that rules in Postgres.
-- Guarantee: a mark is never replaced by an older one; of one epoch a drain begins, but never ends.
-- KEYS[1] mode of the shard
-- ARGV[1] epoch   ARGV[2] drain (1 or 0)
-- Replies: 1 when the shard is marked so now, 0 when it has another mark

local mark = redis.call('HMGET', KEYS[1], 'epoch', 'drain')
local marked, epoch, drain = tonumber(mark[1] or -1), tonumber(ARGV[1]), ARGV[2]
-- guard mode
if marked > epoch then
  return 0
end
-- end guard mode
-- guard drain
if marked == epoch and mark[2] == '1' and drain ~= '1' then
  return 0
end
-- end guard drain
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'drain', drain)
return 1`,
  },
  fastOpen: {
    file: 'fast-open.lua',
    sha1: 'c21696834753c34631bc5a90140e41ff32719bc6',
    text: `-- Opens epochs that were just won in Postgres, for submitters of one shard.
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

-- The word behind a field of INFO. Found as plain text: a pattern would be tried at every character,
-- which cost more than all the rest of a grant.
local function field_of(info, name)
  local _, last = string.find(info, '\\n' .. name .. ':', 1, true)
  return last and string.match(info, '^%w+', last + 1)
end

-- Proof that this is the same uninterrupted primary; nil when a part of it is missing, or when this
-- is no primary. A restart changes the run id; a failover, a demotion or a fail-back the rest.
local function incarnation_of_server()
  local info = redis.call('INFO', 'server', 'replication')
  local run_id = field_of(info, 'run_id')
  local replid = field_of(info, 'master_replid')
  local role = field_of(info, 'role')
  if not run_id or not replid or role ~= 'master' then
    return nil
  end
  return run_id .. ':' .. replid .. ':' .. role
end

-- A refusal by which the client looks for the primary again; nothing has been written.
local function not_a_primary()
  return redis.error_reply('READONLY this is not a primary whose incarnation is known')
end
-- Milliseconds since 1970 by this server's clock, the same for everything in one run.
local function milliseconds()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
-- Adds nonces of earlier holders to a free set, those that \`may\` be issued. A member is the nonce,
-- with a "t" when it may have been sent and can be issued as a replacement only; that counts more
-- than a clean one.
local function add_free_nonces(free, argument, count, may)
  for i = argument, argument + count - 1 do
    local member = ARGV[i]
    local nonce = string.match(member, '^%d+')
    local tainted = nonce ~= member
    if may(tonumber(nonce), nonce) then
      if tainted then
        redis.call('ZREM', free, nonce)
        redis.call('ZADD', free, nonce, member)
      elseif not redis.call('ZSCORE', free, nonce .. 't') then
        redis.call('ZADD', free, nonce, nonce)
      end
    end
  end
end

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
return replies`,
  },
  fastPrune: {
    file: 'fast-prune.lua',
    sha1: 'b79605d4bd4c58de77c47070001d0f9517199f39',
    text: `-- Forgets grants of which Postgres has applied the last event, for submitters of one shard.
-- Guarantee: only a grant that is settled, and of which nothing was said since that event. A nonce
-- that is free, or comes back as a free one, keeps its snapshot until it is granted again: a late
-- word of its last owner needs it.
-- KEYS[1] mode of the shard (not read)   KEYS[2] its events (not read)
-- KEYS[3…] seven per submitter: state, free, held, snap, ops, ids0, ids1
-- ARGV[1] submitters
-- ARGV[2…] per submitter: epoch, grants; per grant: nonce, generation, rank
-- Replies: how many were forgotten

-- The keys of one submitter, as a run finds and leaves them. Wants incarnation.lua.
--
-- Numbers are doubles: exact up to 2^53, but tostring() and the .. operator keep 14 digits only.
-- So nonces are passed to commands as numbers or as text made by '%.0f', never by these two.
local function text(number)
  return string.format('%.0f', number)
end

-- The same few times stand in all that one run writes.
local time_texts = {}
local function time_text(ms)
  local known = time_texts[ms]
  if not known then
    known = text(ms)
    time_texts[ms] = known
  end
  return known
end

local function existing_keys(s)
  return redis.call('EXISTS', s.free, s.held, s.snap, s.ops, s.ids[0], s.ids[1])
end

-- What stands behind a view, ended or not; or nil, why not, and the epoch that rules here.
-- A key that is gone without the run that ended it makes the whole epoch unusable: what it held
-- cannot be told any more, and a wrong guess would be a second grant of the same nonce.
local function find(first_key, token, submitter, epoch, incarnation)
  -- guard incarnation
  if incarnation ~= token then
    return nil, 'incarnation', -1
  end
  -- end guard incarnation
  local found = redis.call('HMGET', KEYS[first_key], 'epoch', 'inc', 'mode', 'birth', 'next',
    'ceiling', 'gen', 'floor', 'windowEnd', 'maxReserved', 'reserved', 'paused', 'more', 'keys',
    'handed')
  if not found[1] then
    return nil, 'absent', -1
  end
  local ruling = tonumber(found[1])
  -- guard incarnation
  if found[2] ~= token then
    return nil, 'incarnation', ruling
  end
  -- end guard incarnation
  -- guard epoch
  if found[1] ~= epoch then
    return nil, 'epoch', ruling
  end
  -- end guard epoch
  if not (found[3] and found[4] and found[5] and found[6] and found[7] and found[11] and found[14]) then
    return nil, redis.call('HEXISTS', KEYS[first_key], 'retired') == 1 and 'epoch' or 'absent', ruling
  end
  local reserved = tonumber(found[11])
  local s = {
    submitter = submitter, epoch = found[1], mode = found[3], birth = found[4],
    next = tonumber(found[5]), ceiling = tonumber(found[6]), gen = tonumber(found[7]),
    floor = tonumber(found[8]), windowEnd = tonumber(found[9]), maxReserved = tonumber(found[10]),
    reserved = reserved, reserved_before = reserved, paused = found[12] == '1',
    more = found[13] == '1', keys = tonumber(found[14]), handed = found[15],
    state = KEYS[first_key], free = KEYS[first_key + 1], held = KEYS[first_key + 2],
    snap = KEYS[first_key + 3], ops = KEYS[first_key + 4],
    ids = { [0] = KEYS[first_key + 5], KEYS[first_key + 6] },
  }
  -- guard lost-key
  if existing_keys(s) ~= s.keys then
    return nil, 'absent', ruling
  end
  -- end guard lost-key
  return s
end

-- True once all that is known of it was told to Postgres, which alone decides from then on.
local function has_ended(s)
  local ended = false
  -- guard handed-over
  ended = s.handed
  -- end guard handed-over
  return ended
end

-- What stands behind a view whose epoch goes on here; else as find().
local function enter(...)
  local s, reason, ruling = find(...)
  if s and has_ended(s) then
    return nil, 'epoch', tonumber(s.epoch)
  end
  return s, reason, ruling
end

-- Writes what the run has changed beside the grants themselves.
local function leave(s)
  local keys = existing_keys(s)
  if keys ~= s.keys or s.reserved ~= s.reserved_before then
    redis.call('HSET', s.state, 'keys', keys, 'reserved', s.reserved)
  end
  if s.said then
    redis.call('HSET', s.state, 'lastEvent', s.said, 'lastEvents', 1)
  end
end

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
return forgotten`,
  },
  fastReclaim: {
    file: 'fast-reclaim.lua',
    sha1: 'faec82ad66f24b61031fa0b0da32e28834a9d52e',
    text: `-- Ends reservations past their deadline, for submitters of one shard.
-- Guarantee: each leaves with its event and none becomes free here. Nothing happens in another epoch
-- or incarnation.
-- KEYS[1] mode of the shard (not read)   KEYS[2] its events
-- KEYS[3…] seven per submitter: state, free, held, snap, ops, ids0, ids1
-- ARGV[1] most reservations to end   ARGV[2] submitters
-- ARGV[3…] per submitter: its text, epoch, incarnation
-- Replies: how many were ended

-- The word behind a field of INFO. Found as plain text: a pattern would be tried at every character,
-- which cost more than all the rest of a grant.
local function field_of(info, name)
  local _, last = string.find(info, '\\n' .. name .. ':', 1, true)
  return last and string.match(info, '^%w+', last + 1)
end

-- Proof that this is the same uninterrupted primary; nil when a part of it is missing, or when this
-- is no primary. A restart changes the run id; a failover, a demotion or a fail-back the rest.
local function incarnation_of_server()
  local info = redis.call('INFO', 'server', 'replication')
  local run_id = field_of(info, 'run_id')
  local replid = field_of(info, 'master_replid')
  local role = field_of(info, 'role')
  if not run_id or not replid or role ~= 'master' then
    return nil
  end
  return run_id .. ':' .. replid .. ':' .. role
end

-- A refusal by which the client looks for the primary again; nothing has been written.
local function not_a_primary()
  return redis.error_reply('READONLY this is not a primary whose incarnation is known')
end
-- Milliseconds since 1970 by this server's clock, the same for everything in one run.
local function milliseconds()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
-- The keys of one submitter, as a run finds and leaves them. Wants incarnation.lua.
--
-- Numbers are doubles: exact up to 2^53, but tostring() and the .. operator keep 14 digits only.
-- So nonces are passed to commands as numbers or as text made by '%.0f', never by these two.
local function text(number)
  return string.format('%.0f', number)
end

-- The same few times stand in all that one run writes.
local time_texts = {}
local function time_text(ms)
  local known = time_texts[ms]
  if not known then
    known = text(ms)
    time_texts[ms] = known
  end
  return known
end

local function existing_keys(s)
  return redis.call('EXISTS', s.free, s.held, s.snap, s.ops, s.ids[0], s.ids[1])
end

-- What stands behind a view, ended or not; or nil, why not, and the epoch that rules here.
-- A key that is gone without the run that ended it makes the whole epoch unusable: what it held
-- cannot be told any more, and a wrong guess would be a second grant of the same nonce.
local function find(first_key, token, submitter, epoch, incarnation)
  -- guard incarnation
  if incarnation ~= token then
    return nil, 'incarnation', -1
  end
  -- end guard incarnation
  local found = redis.call('HMGET', KEYS[first_key], 'epoch', 'inc', 'mode', 'birth', 'next',
    'ceiling', 'gen', 'floor', 'windowEnd', 'maxReserved', 'reserved', 'paused', 'more', 'keys',
    'handed')
  if not found[1] then
    return nil, 'absent', -1
  end
  local ruling = tonumber(found[1])
  -- guard incarnation
  if found[2] ~= token then
    return nil, 'incarnation', ruling
  end
  -- end guard incarnation
  -- guard epoch
  if found[1] ~= epoch then
    return nil, 'epoch', ruling
  end
  -- end guard epoch
  if not (found[3] and found[4] and found[5] and found[6] and found[7] and found[11] and found[14]) then
    return nil, redis.call('HEXISTS', KEYS[first_key], 'retired') == 1 and 'epoch' or 'absent', ruling
  end
  local reserved = tonumber(found[11])
  local s = {
    submitter = submitter, epoch = found[1], mode = found[3], birth = found[4],
    next = tonumber(found[5]), ceiling = tonumber(found[6]), gen = tonumber(found[7]),
    floor = tonumber(found[8]), windowEnd = tonumber(found[9]), maxReserved = tonumber(found[10]),
    reserved = reserved, reserved_before = reserved, paused = found[12] == '1',
    more = found[13] == '1', keys = tonumber(found[14]), handed = found[15],
    state = KEYS[first_key], free = KEYS[first_key + 1], held = KEYS[first_key + 2],
    snap = KEYS[first_key + 3], ops = KEYS[first_key + 4],
    ids = { [0] = KEYS[first_key + 5], KEYS[first_key + 6] },
  }
  -- guard lost-key
  if existing_keys(s) ~= s.keys then
    return nil, 'absent', ruling
  end
  -- end guard lost-key
  return s
end

-- True once all that is known of it was told to Postgres, which alone decides from then on.
local function has_ended(s)
  local ended = false
  -- guard handed-over
  ended = s.handed
  -- end guard handed-over
  return ended
end

-- What stands behind a view whose epoch goes on here; else as find().
local function enter(...)
  local s, reason, ruling = find(...)
  if s and has_ended(s) then
    return nil, 'epoch', tonumber(s.epoch)
  end
  return s, reason, ruling
end

-- Writes what the run has changed beside the grants themselves.
local function leave(s)
  local keys = existing_keys(s)
  if keys ~= s.keys or s.reserved ~= s.reserved_before then
    redis.call('HSET', s.state, 'keys', keys, 'reserved', s.reserved)
  end
  if s.said then
    redis.call('HSET', s.state, 'lastEvent', s.said, 'lastEvents', 1)
  end
end
-- Snapshots of grants, and the events that carry them to Postgres. Wants submitter.lua.
--
-- A snapshot is packed in this order: stage, id, generation, rank, source, exposure, granted ms
-- (since the birth of the stream), deadline ms (since granted), operation, metadata, hashes, note.
-- Absent texts are empty. Stages: G granted, X exposing (held until its deadline, but only Postgres
-- decides), B broadcast, A asserted, R reusable (free here), Q quarantined, E expired.
local STAGE, ID, GENERATION, RANK, SOURCE, EXPOSURE = 1, 2, 3, 4, 5, 6
local GRANTED_AT, DEADLINE, OPERATION, METADATA, HASHES, NOTE = 7, 8, 9, 10, 11, 12

local OPTIONAL = { [OPERATION] = 'p', [METADATA] = 'm', [HASHES] = 'h', [NOTE] = 'w' }

-- Times are packed as the distance from one that is known: with them whole a snapshot is larger than
-- what a small hash keeps in its compact form (64 bytes), which costs half as much memory.
local function pack_snapshot(s, snapshot)
  local granted_at, deadline = snapshot[GRANTED_AT], snapshot[DEADLINE]
  snapshot[GRANTED_AT], snapshot[DEADLINE] = granted_at - s.birth, deadline - granted_at
  local packed = cmsgpack.pack(snapshot)
  snapshot[GRANTED_AT], snapshot[DEADLINE] = granted_at, deadline
  return packed
end

local function unpack_snapshot(s, packed)
  local snapshot = cmsgpack.unpack(packed)
  snapshot[GRANTED_AT] = snapshot[GRANTED_AT] + s.birth
  snapshot[DEADLINE] = snapshot[DEADLINE] + snapshot[GRANTED_AT]
  return snapshot
end

local function snapshot_of(s, nonce)
  local packed = redis.call('HGET', s.snap, nonce)
  return packed and unpack_snapshot(s, packed)
end

local function save_snapshot(s, nonce, snapshot)
  redis.call('HSET', s.snap, nonce, pack_snapshot(s, snapshot))
end

-- Names and values in turn, as flush-event-fields.ts reads them. All that every event has stands in
-- one value: with a field of its own for each an XADD took half as long again, and a read five times.
local function fields_of(s, nonce, snapshot, now)
  local stage, granted_at = snapshot[STAGE], snapshot[GRANTED_AT]
  local fields = { 's', s.submitter, 'n', nonce, 'v', string.format(
    '%s %d %d %s%s%s %s %s %d %d', s.epoch, snapshot[GENERATION], snapshot[RANK],
    stage == 'X' and 'G' or stage, snapshot[SOURCE], snapshot[EXPOSURE], snapshot[ID],
    time_text(granted_at), snapshot[DEADLINE] - granted_at, now - granted_at
  ) }
  for part = OPERATION, NOTE do
    if snapshot[part] ~= '' then
      fields[#fields + 1] = OPTIONAL[part]
      fields[#fields + 1] = snapshot[part]
    end
  end
  return fields
end

-- Ids of a stream are "<birth>-<count>". Whoever opens an epoch remembers the birth, so that a
-- stream that was deleted with its events is noticed: it is absent, or it counts from 0 again, or
-- it was born later. Returns false then, and sees to it that every other submitter notices too.
local function emit(events, s, fields, now)
  local id = redis.pcall('XADD', events, 'NOMKSTREAM', s.birth .. '-*', unpack(fields))
  if not id then
    return false
  end
  if type(id) == 'table' then
    if string.find(id.err, 'equal or smaller', 1, true) then
      return false
    end
    -- Nothing was written by it: once more, to fail with the server's own words.
    return redis.call('XADD', events, 'NOMKSTREAM', s.birth .. '-*', unpack(fields))
  end
  if string.sub(id, -2) == '-0' then
    redis.call('XDEL', events, id)
    local marker = text(math.max(now, tonumber(s.birth) + 1)) .. '-0'
    redis.call('XADD', events, marker, 'born', '1')
    redis.call('XDEL', events, marker)
    return false
  end
  s.said = id
  return true
end
-- Wants events.lua. Ends reservations past their deadline, at most \`limit\`. None becomes free here:
-- whether its holder had an intent written only Postgres knows.
-- Returns how many, or nil when the stream of events is lost.
local function reclaim(events, s, now, limit)
  local due = redis.call('ZRANGEBYSCORE', s.held, '-inf', now, 'LIMIT', 0, limit)
  for _, nonce in ipairs(due) do
    local snapshot = snapshot_of(s, nonce)
    snapshot[STAGE] = 'E'
    snapshot[RANK] = snapshot[RANK] + 1
    if not emit(events, s, fields_of(s, nonce, snapshot, now), now) then
      return nil
    end
    redis.call('ZREM', s.held, nonce)
    save_snapshot(s, nonce, snapshot)
  end
  return #due
end

local token = incarnation_of_server()
if not token then
  return not_a_primary()
end
local events, now = KEYS[2], milliseconds()
local ended, limit = 0, tonumber(ARGV[1])
for i = 1, tonumber(ARGV[2]) do
  local s = ended < limit and enter(7 * i - 4, token, unpack(ARGV, 3 * i, 3 * i + 2))
  if s then
    ended = ended + (reclaim(events, s, now, limit - ended) or 0)
    leave(s)
  end
end
return ended`,
  },
  fastRefill: {
    file: 'fast-refill.lua',
    sha1: 'd34ff97e724c4d07ea59534b91241cb853537844',
    text: `-- Raises ceilings, replaces limits and adds free nonces, for submitters of one shard.
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

-- The word behind a field of INFO. Found as plain text: a pattern would be tried at every character,
-- which cost more than all the rest of a grant.
local function field_of(info, name)
  local _, last = string.find(info, '\\n' .. name .. ':', 1, true)
  return last and string.match(info, '^%w+', last + 1)
end

-- Proof that this is the same uninterrupted primary; nil when a part of it is missing, or when this
-- is no primary. A restart changes the run id; a failover, a demotion or a fail-back the rest.
local function incarnation_of_server()
  local info = redis.call('INFO', 'server', 'replication')
  local run_id = field_of(info, 'run_id')
  local replid = field_of(info, 'master_replid')
  local role = field_of(info, 'role')
  if not run_id or not replid or role ~= 'master' then
    return nil
  end
  return run_id .. ':' .. replid .. ':' .. role
end

-- A refusal by which the client looks for the primary again; nothing has been written.
local function not_a_primary()
  return redis.error_reply('READONLY this is not a primary whose incarnation is known')
end
-- The keys of one submitter, as a run finds and leaves them. Wants incarnation.lua.
--
-- Numbers are doubles: exact up to 2^53, but tostring() and the .. operator keep 14 digits only.
-- So nonces are passed to commands as numbers or as text made by '%.0f', never by these two.
local function text(number)
  return string.format('%.0f', number)
end

-- The same few times stand in all that one run writes.
local time_texts = {}
local function time_text(ms)
  local known = time_texts[ms]
  if not known then
    known = text(ms)
    time_texts[ms] = known
  end
  return known
end

local function existing_keys(s)
  return redis.call('EXISTS', s.free, s.held, s.snap, s.ops, s.ids[0], s.ids[1])
end

-- What stands behind a view, ended or not; or nil, why not, and the epoch that rules here.
-- A key that is gone without the run that ended it makes the whole epoch unusable: what it held
-- cannot be told any more, and a wrong guess would be a second grant of the same nonce.
local function find(first_key, token, submitter, epoch, incarnation)
  -- guard incarnation
  if incarnation ~= token then
    return nil, 'incarnation', -1
  end
  -- end guard incarnation
  local found = redis.call('HMGET', KEYS[first_key], 'epoch', 'inc', 'mode', 'birth', 'next',
    'ceiling', 'gen', 'floor', 'windowEnd', 'maxReserved', 'reserved', 'paused', 'more', 'keys',
    'handed')
  if not found[1] then
    return nil, 'absent', -1
  end
  local ruling = tonumber(found[1])
  -- guard incarnation
  if found[2] ~= token then
    return nil, 'incarnation', ruling
  end
  -- end guard incarnation
  -- guard epoch
  if found[1] ~= epoch then
    return nil, 'epoch', ruling
  end
  -- end guard epoch
  if not (found[3] and found[4] and found[5] and found[6] and found[7] and found[11] and found[14]) then
    return nil, redis.call('HEXISTS', KEYS[first_key], 'retired') == 1 and 'epoch' or 'absent', ruling
  end
  local reserved = tonumber(found[11])
  local s = {
    submitter = submitter, epoch = found[1], mode = found[3], birth = found[4],
    next = tonumber(found[5]), ceiling = tonumber(found[6]), gen = tonumber(found[7]),
    floor = tonumber(found[8]), windowEnd = tonumber(found[9]), maxReserved = tonumber(found[10]),
    reserved = reserved, reserved_before = reserved, paused = found[12] == '1',
    more = found[13] == '1', keys = tonumber(found[14]), handed = found[15],
    state = KEYS[first_key], free = KEYS[first_key + 1], held = KEYS[first_key + 2],
    snap = KEYS[first_key + 3], ops = KEYS[first_key + 4],
    ids = { [0] = KEYS[first_key + 5], KEYS[first_key + 6] },
  }
  -- guard lost-key
  if existing_keys(s) ~= s.keys then
    return nil, 'absent', ruling
  end
  -- end guard lost-key
  return s
end

-- True once all that is known of it was told to Postgres, which alone decides from then on.
local function has_ended(s)
  local ended = false
  -- guard handed-over
  ended = s.handed
  -- end guard handed-over
  return ended
end

-- What stands behind a view whose epoch goes on here; else as find().
local function enter(...)
  local s, reason, ruling = find(...)
  if s and has_ended(s) then
    return nil, 'epoch', tonumber(s.epoch)
  end
  return s, reason, ruling
end

-- Writes what the run has changed beside the grants themselves.
local function leave(s)
  local keys = existing_keys(s)
  if keys ~= s.keys or s.reserved ~= s.reserved_before then
    redis.call('HSET', s.state, 'keys', keys, 'reserved', s.reserved)
  end
  if s.said then
    redis.call('HSET', s.state, 'lastEvent', s.said, 'lastEvents', 1)
  end
end
-- Adds nonces of earlier holders to a free set, those that \`may\` be issued. A member is the nonce,
-- with a "t" when it may have been sent and can be issued as a replacement only; that counts more
-- than a clean one.
local function add_free_nonces(free, argument, count, may)
  for i = argument, argument + count - 1 do
    local member = ARGV[i]
    local nonce = string.match(member, '^%d+')
    local tainted = nonce ~= member
    if may(tonumber(nonce), nonce) then
      if tainted then
        redis.call('ZREM', free, nonce)
        redis.call('ZADD', free, nonce, member)
      elseif not redis.call('ZSCORE', free, nonce .. 't') then
        redis.call('ZADD', free, nonce, nonce)
      end
    end
  end
end

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
return replies`,
  },
  fastRetire: {
    file: 'fast-retire.lua',
    sha1: '55a0bcd7b6c4c04c06cca6ddbe77e9527522e937',
    text: `-- Ends the epoch of one idle submitter here, and tells where its fresh nonces ended.
-- Guarantee: afterwards nothing is granted in this epoch and it cannot be opened again; nothing ends
-- while a reservation is held, a nonce was granted lately, or an event about one may still wait for
-- Postgres, which takes what it has not heard of for never issued.
-- KEYS[1] mode of the shard (not read)   KEYS[2] its events
-- KEYS[3…9] state, free, held, snap, ops, ids0, ids1
-- ARGV[1] epoch   ARGV[2] incarnation   ARGV[3] idle time, milliseconds
-- Replies: the first nonce that was never issued; -1 when it is not idle, not flushed, or not here

-- The word behind a field of INFO. Found as plain text: a pattern would be tried at every character,
-- which cost more than all the rest of a grant.
local function field_of(info, name)
  local _, last = string.find(info, '\\n' .. name .. ':', 1, true)
  return last and string.match(info, '^%w+', last + 1)
end

-- Proof that this is the same uninterrupted primary; nil when a part of it is missing, or when this
-- is no primary. A restart changes the run id; a failover, a demotion or a fail-back the rest.
local function incarnation_of_server()
  local info = redis.call('INFO', 'server', 'replication')
  local run_id = field_of(info, 'run_id')
  local replid = field_of(info, 'master_replid')
  local role = field_of(info, 'role')
  if not run_id or not replid or role ~= 'master' then
    return nil
  end
  return run_id .. ':' .. replid .. ':' .. role
end

-- A refusal by which the client looks for the primary again; nothing has been written.
local function not_a_primary()
  return redis.error_reply('READONLY this is not a primary whose incarnation is known')
end
-- Milliseconds since 1970 by this server's clock, the same for everything in one run.
local function milliseconds()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
-- The keys of one submitter, as a run finds and leaves them. Wants incarnation.lua.
--
-- Numbers are doubles: exact up to 2^53, but tostring() and the .. operator keep 14 digits only.
-- So nonces are passed to commands as numbers or as text made by '%.0f', never by these two.
local function text(number)
  return string.format('%.0f', number)
end

-- The same few times stand in all that one run writes.
local time_texts = {}
local function time_text(ms)
  local known = time_texts[ms]
  if not known then
    known = text(ms)
    time_texts[ms] = known
  end
  return known
end

local function existing_keys(s)
  return redis.call('EXISTS', s.free, s.held, s.snap, s.ops, s.ids[0], s.ids[1])
end

-- What stands behind a view, ended or not; or nil, why not, and the epoch that rules here.
-- A key that is gone without the run that ended it makes the whole epoch unusable: what it held
-- cannot be told any more, and a wrong guess would be a second grant of the same nonce.
local function find(first_key, token, submitter, epoch, incarnation)
  -- guard incarnation
  if incarnation ~= token then
    return nil, 'incarnation', -1
  end
  -- end guard incarnation
  local found = redis.call('HMGET', KEYS[first_key], 'epoch', 'inc', 'mode', 'birth', 'next',
    'ceiling', 'gen', 'floor', 'windowEnd', 'maxReserved', 'reserved', 'paused', 'more', 'keys',
    'handed')
  if not found[1] then
    return nil, 'absent', -1
  end
  local ruling = tonumber(found[1])
  -- guard incarnation
  if found[2] ~= token then
    return nil, 'incarnation', ruling
  end
  -- end guard incarnation
  -- guard epoch
  if found[1] ~= epoch then
    return nil, 'epoch', ruling
  end
  -- end guard epoch
  if not (found[3] and found[4] and found[5] and found[6] and found[7] and found[11] and found[14]) then
    return nil, redis.call('HEXISTS', KEYS[first_key], 'retired') == 1 and 'epoch' or 'absent', ruling
  end
  local reserved = tonumber(found[11])
  local s = {
    submitter = submitter, epoch = found[1], mode = found[3], birth = found[4],
    next = tonumber(found[5]), ceiling = tonumber(found[6]), gen = tonumber(found[7]),
    floor = tonumber(found[8]), windowEnd = tonumber(found[9]), maxReserved = tonumber(found[10]),
    reserved = reserved, reserved_before = reserved, paused = found[12] == '1',
    more = found[13] == '1', keys = tonumber(found[14]), handed = found[15],
    state = KEYS[first_key], free = KEYS[first_key + 1], held = KEYS[first_key + 2],
    snap = KEYS[first_key + 3], ops = KEYS[first_key + 4],
    ids = { [0] = KEYS[first_key + 5], KEYS[first_key + 6] },
  }
  -- guard lost-key
  if existing_keys(s) ~= s.keys then
    return nil, 'absent', ruling
  end
  -- end guard lost-key
  return s
end

-- True once all that is known of it was told to Postgres, which alone decides from then on.
local function has_ended(s)
  local ended = false
  -- guard handed-over
  ended = s.handed
  -- end guard handed-over
  return ended
end

-- What stands behind a view whose epoch goes on here; else as find().
local function enter(...)
  local s, reason, ruling = find(...)
  if s and has_ended(s) then
    return nil, 'epoch', tonumber(s.epoch)
  end
  return s, reason, ruling
end

-- Writes what the run has changed beside the grants themselves.
local function leave(s)
  local keys = existing_keys(s)
  if keys ~= s.keys or s.reserved ~= s.reserved_before then
    redis.call('HSET', s.state, 'keys', keys, 'reserved', s.reserved)
  end
  if s.said then
    redis.call('HSET', s.state, 'lastEvent', s.said, 'lastEvents', 1)
  end
end

local token = incarnation_of_server()
if not token then
  return not_a_primary()
end
local s = enter(3, token, '', ARGV[1], ARGV[2])
if not s or redis.call('ZCARD', s.held) > 0 then
  return -1
end
local last_grant = tonumber(redis.call('HGET', s.state, 'lastGrantMs'))
if milliseconds() - last_grant < tonumber(ARGV[3]) then
  return -1
end
-- guard unflushed
local last = redis.call('HMGET', s.state, 'lastEvent', 'lastEvents')
local waiting = last[1] and redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
if waiting then
  local last_number = tonumber(string.match(last[1], '%d+$')) + tonumber(last[2]) - 1
  if tonumber(string.match(waiting[1], '%d+$')) <= last_number then
    return -1
  end
end
-- end guard unflushed
redis.call('UNLINK', unpack(KEYS, 3, 9))
-- Where it ended stays known: whoever retires it may die before Postgres hears of it.
redis.call('HSET', s.state, 'epoch', ARGV[1], 'inc', ARGV[2], 'retired', 1, 'next', s.next)
return s.next`,
  },
  fastSettle: {
    file: 'fast-settle.lua',
    sha1: 'f1ddf1e8dcdb978a986cf4fe76e2a4059e507c7c',
    text: `-- Takes what holders, and Postgres, say about grants of one shard.
-- Guarantee: only the owner token that was granted the nonce moves it; a grant that has left GRANTED
-- is moved by nobody here, Postgres decides; a nonce that may be out never becomes free. The event is
-- written before the snapshot, so a failed run is told twice at worst. Of an epoch that was handed
-- over nothing moves any more, but \`look\` still tells what was known.
-- KEYS[1] mode of the shard (not read)   KEYS[2] its events
-- KEYS[3…] seven per group: state, free, held, snap, ops, ids0, ids1
-- ARGV[1] groups
-- ARGV[2…] per group: submitter, epoch, incarnation, rows; per row: word (one of FAST_WORDS, or look),
--   owner token, nonce, hash, note, ttl ms, followable (1 or 0)
-- Replies: one per row, in order: {done|same|settled, fields of the grant} · {fenced} · {unknown} ·
--   {stale}

-- The word behind a field of INFO. Found as plain text: a pattern would be tried at every character,
-- which cost more than all the rest of a grant.
local function field_of(info, name)
  local _, last = string.find(info, '\\n' .. name .. ':', 1, true)
  return last and string.match(info, '^%w+', last + 1)
end

-- Proof that this is the same uninterrupted primary; nil when a part of it is missing, or when this
-- is no primary. A restart changes the run id; a failover, a demotion or a fail-back the rest.
local function incarnation_of_server()
  local info = redis.call('INFO', 'server', 'replication')
  local run_id = field_of(info, 'run_id')
  local replid = field_of(info, 'master_replid')
  local role = field_of(info, 'role')
  if not run_id or not replid or role ~= 'master' then
    return nil
  end
  return run_id .. ':' .. replid .. ':' .. role
end

-- A refusal by which the client looks for the primary again; nothing has been written.
local function not_a_primary()
  return redis.error_reply('READONLY this is not a primary whose incarnation is known')
end
-- Milliseconds since 1970 by this server's clock, the same for everything in one run.
local function milliseconds()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
-- The keys of one submitter, as a run finds and leaves them. Wants incarnation.lua.
--
-- Numbers are doubles: exact up to 2^53, but tostring() and the .. operator keep 14 digits only.
-- So nonces are passed to commands as numbers or as text made by '%.0f', never by these two.
local function text(number)
  return string.format('%.0f', number)
end

-- The same few times stand in all that one run writes.
local time_texts = {}
local function time_text(ms)
  local known = time_texts[ms]
  if not known then
    known = text(ms)
    time_texts[ms] = known
  end
  return known
end

local function existing_keys(s)
  return redis.call('EXISTS', s.free, s.held, s.snap, s.ops, s.ids[0], s.ids[1])
end

-- What stands behind a view, ended or not; or nil, why not, and the epoch that rules here.
-- A key that is gone without the run that ended it makes the whole epoch unusable: what it held
-- cannot be told any more, and a wrong guess would be a second grant of the same nonce.
local function find(first_key, token, submitter, epoch, incarnation)
  -- guard incarnation
  if incarnation ~= token then
    return nil, 'incarnation', -1
  end
  -- end guard incarnation
  local found = redis.call('HMGET', KEYS[first_key], 'epoch', 'inc', 'mode', 'birth', 'next',
    'ceiling', 'gen', 'floor', 'windowEnd', 'maxReserved', 'reserved', 'paused', 'more', 'keys',
    'handed')
  if not found[1] then
    return nil, 'absent', -1
  end
  local ruling = tonumber(found[1])
  -- guard incarnation
  if found[2] ~= token then
    return nil, 'incarnation', ruling
  end
  -- end guard incarnation
  -- guard epoch
  if found[1] ~= epoch then
    return nil, 'epoch', ruling
  end
  -- end guard epoch
  if not (found[3] and found[4] and found[5] and found[6] and found[7] and found[11] and found[14]) then
    return nil, redis.call('HEXISTS', KEYS[first_key], 'retired') == 1 and 'epoch' or 'absent', ruling
  end
  local reserved = tonumber(found[11])
  local s = {
    submitter = submitter, epoch = found[1], mode = found[3], birth = found[4],
    next = tonumber(found[5]), ceiling = tonumber(found[6]), gen = tonumber(found[7]),
    floor = tonumber(found[8]), windowEnd = tonumber(found[9]), maxReserved = tonumber(found[10]),
    reserved = reserved, reserved_before = reserved, paused = found[12] == '1',
    more = found[13] == '1', keys = tonumber(found[14]), handed = found[15],
    state = KEYS[first_key], free = KEYS[first_key + 1], held = KEYS[first_key + 2],
    snap = KEYS[first_key + 3], ops = KEYS[first_key + 4],
    ids = { [0] = KEYS[first_key + 5], KEYS[first_key + 6] },
  }
  -- guard lost-key
  if existing_keys(s) ~= s.keys then
    return nil, 'absent', ruling
  end
  -- end guard lost-key
  return s
end

-- True once all that is known of it was told to Postgres, which alone decides from then on.
local function has_ended(s)
  local ended = false
  -- guard handed-over
  ended = s.handed
  -- end guard handed-over
  return ended
end

-- What stands behind a view whose epoch goes on here; else as find().
local function enter(...)
  local s, reason, ruling = find(...)
  if s and has_ended(s) then
    return nil, 'epoch', tonumber(s.epoch)
  end
  return s, reason, ruling
end

-- Writes what the run has changed beside the grants themselves.
local function leave(s)
  local keys = existing_keys(s)
  if keys ~= s.keys or s.reserved ~= s.reserved_before then
    redis.call('HSET', s.state, 'keys', keys, 'reserved', s.reserved)
  end
  if s.said then
    redis.call('HSET', s.state, 'lastEvent', s.said, 'lastEvents', 1)
  end
end
-- Snapshots of grants, and the events that carry them to Postgres. Wants submitter.lua.
--
-- A snapshot is packed in this order: stage, id, generation, rank, source, exposure, granted ms
-- (since the birth of the stream), deadline ms (since granted), operation, metadata, hashes, note.
-- Absent texts are empty. Stages: G granted, X exposing (held until its deadline, but only Postgres
-- decides), B broadcast, A asserted, R reusable (free here), Q quarantined, E expired.
local STAGE, ID, GENERATION, RANK, SOURCE, EXPOSURE = 1, 2, 3, 4, 5, 6
local GRANTED_AT, DEADLINE, OPERATION, METADATA, HASHES, NOTE = 7, 8, 9, 10, 11, 12

local OPTIONAL = { [OPERATION] = 'p', [METADATA] = 'm', [HASHES] = 'h', [NOTE] = 'w' }

-- Times are packed as the distance from one that is known: with them whole a snapshot is larger than
-- what a small hash keeps in its compact form (64 bytes), which costs half as much memory.
local function pack_snapshot(s, snapshot)
  local granted_at, deadline = snapshot[GRANTED_AT], snapshot[DEADLINE]
  snapshot[GRANTED_AT], snapshot[DEADLINE] = granted_at - s.birth, deadline - granted_at
  local packed = cmsgpack.pack(snapshot)
  snapshot[GRANTED_AT], snapshot[DEADLINE] = granted_at, deadline
  return packed
end

local function unpack_snapshot(s, packed)
  local snapshot = cmsgpack.unpack(packed)
  snapshot[GRANTED_AT] = snapshot[GRANTED_AT] + s.birth
  snapshot[DEADLINE] = snapshot[DEADLINE] + snapshot[GRANTED_AT]
  return snapshot
end

local function snapshot_of(s, nonce)
  local packed = redis.call('HGET', s.snap, nonce)
  return packed and unpack_snapshot(s, packed)
end

local function save_snapshot(s, nonce, snapshot)
  redis.call('HSET', s.snap, nonce, pack_snapshot(s, snapshot))
end

-- Names and values in turn, as flush-event-fields.ts reads them. All that every event has stands in
-- one value: with a field of its own for each an XADD took half as long again, and a read five times.
local function fields_of(s, nonce, snapshot, now)
  local stage, granted_at = snapshot[STAGE], snapshot[GRANTED_AT]
  local fields = { 's', s.submitter, 'n', nonce, 'v', string.format(
    '%s %d %d %s%s%s %s %s %d %d', s.epoch, snapshot[GENERATION], snapshot[RANK],
    stage == 'X' and 'G' or stage, snapshot[SOURCE], snapshot[EXPOSURE], snapshot[ID],
    time_text(granted_at), snapshot[DEADLINE] - granted_at, now - granted_at
  ) }
  for part = OPERATION, NOTE do
    if snapshot[part] ~= '' then
      fields[#fields + 1] = OPTIONAL[part]
      fields[#fields + 1] = snapshot[part]
    end
  end
  return fields
end

-- Ids of a stream are "<birth>-<count>". Whoever opens an epoch remembers the birth, so that a
-- stream that was deleted with its events is noticed: it is absent, or it counts from 0 again, or
-- it was born later. Returns false then, and sees to it that every other submitter notices too.
local function emit(events, s, fields, now)
  local id = redis.pcall('XADD', events, 'NOMKSTREAM', s.birth .. '-*', unpack(fields))
  if not id then
    return false
  end
  if type(id) == 'table' then
    if string.find(id.err, 'equal or smaller', 1, true) then
      return false
    end
    -- Nothing was written by it: once more, to fail with the server's own words.
    return redis.call('XADD', events, 'NOMKSTREAM', s.birth .. '-*', unpack(fields))
  end
  if string.sub(id, -2) == '-0' then
    redis.call('XDEL', events, id)
    local marker = text(math.max(now, tonumber(s.birth) + 1)) .. '-0'
    redis.call('XADD', events, marker, 'born', '1')
    redis.call('XDEL', events, marker)
    return false
  end
  s.said = id
  return true
end

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
return replies`,
  },
  fastStatus: {
    file: 'fast-status.lua',
    sha1: 'b94ec01cf37e6bc10094e51b1ea2306de2e37d3b',
    text: `-- Tells how many events of one shard wait for Postgres, and for how long the oldest does.
-- Guarantee: reads only; age by this server's clock.
-- KEYS[1] events of the shard
-- ARGV none
-- Replies: {events, age of the oldest in milliseconds, or -1 when there is none}

-- Milliseconds since 1970 by this server's clock, the same for everything in one run.
local function milliseconds()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
local at
for i = 1, oldest and #oldest[2] or 0, 2 do
  if oldest[2][i] == 'v' then
    local granted_at, since = string.match(oldest[2][i + 1], ' (%d+) %-?%d+ (%-?%d+)$')
    at = granted_at and granted_at + since
  end
end
return { redis.call('XLEN', KEYS[1]), at and math.max(0, milliseconds() - at) or -1 }`,
  },
  keepWitness: {
    file: 'keep-witness.lua',
    sha1: '3b386b1b3d874eba6eeef9554124cb4249214ea7',
    text: `-- Keeps the epochs and ceilings of one shard's submitters, and the run of the database that said so.
-- Guarantee: what is kept only rises, whatever the order in which calls arrive, and however often.
-- KEYS[1] the shard's witness, a hash: submitter -> epoch:ceiling, @server -> JSON
-- ARGV[1] the run, JSON; ARGV[2] its start, microseconds; ARGV[3] its log position, bytes
-- ARGV[4...] submitter, epoch, ceiling, and so on for each
-- Replies: 1 when a run was known before, else 0

-- Both are decimal text: 64-bit numbers do not fit into Lua's.
local function is_later(text, than)
  if #text ~= #than then return #text > #than end
  return text > than
end

local known = redis.call('HGET', KEYS[1], '@server')
local newer = not known
if known then
  local server = cjson.decode(known)
  if server.startedAt == ARGV[2] then
    newer = is_later(ARGV[3], server.lsn)
  else
    newer = is_later(ARGV[2], server.startedAt)
  end
end
if newer then redis.call('HSET', KEYS[1], '@server', ARGV[1]) end

for i = 4, #ARGV, 3 do
  local epoch, ceiling = tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  local before = redis.call('HGET', KEYS[1], ARGV[i])
  if before then
    local known_epoch, known_ceiling = string.match(before, '^(%d+):(%d+)$')
    epoch = math.max(epoch, tonumber(known_epoch))
    ceiling = math.max(ceiling, tonumber(known_ceiling))
  end
  redis.call('HSET', KEYS[1], ARGV[i], string.format('%.0f:%.0f', epoch, ceiling))
end
return known and 1 or 0`,
  },
  mirrorRepair: {
    file: 'mirror-repair.lua',
    sha1: 'f960aa880424843ed60aac99c5470e6e40057253',
    text: `-- Puts fields of mirrors right, for submitters of one shard, and keeps the mirrors from expiring.
-- Guarantee: only where the field still is what was found: a fact that came since is left alone.
-- KEYS[1…] mirror, one per submitter
-- ARGV[1] time to live, milliseconds
-- ARGV[2…] per submitter: what is settled ("nonce:changed", or empty), corrections; per correction:
--   field, text found (empty = none), text to put (empty = none)
-- Replies: how many fields were put right

-- A mirrored nonce is "epoch:changed:stage:owner", the next one "@next" is "epoch:next", and what was
-- settled long ago "@floor" is "nonce:changed". Numbers are below 2^53.

local function numbers(text)
  local first, second = string.match(text or '', '^(%d+):(%d+)')
  return tonumber(first or -1), tonumber(second or -1)
end

-- What cannot be read is earlier than anything.
local function is_later(text, than)
  local epoch, changed = numbers(text)
  local known_epoch, known_changed = numbers(than)
  if epoch ~= known_epoch then
    return epoch > known_epoch
  end
  return changed > known_changed
end

-- A key of another type is not ours; it would fail the whole run.
local function own_hash(key)
  local kind = redis.call('TYPE', key).ok
  if kind ~= 'hash' and kind ~= 'none' then
    redis.call('UNLINK', key)
  end
end

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
return corrected`,
  },
  mirror: {
    file: 'mirror.lua',
    sha1: 'e70d6bfb26026389e241eedcac8cd1c4acf38cd0',
    text: `-- Takes over what Postgres has decided, for submitters of one shard, in whatever order it comes.
-- Guarantee: what is kept only gets later, by (epoch, time of the change); a fact about a nonce that
-- was settled before that time is refused. Read by people and by the comparison, never for granting.
-- KEYS[1…] mirror, one per submitter
-- ARGV[1] time to live, milliseconds
-- ARGV[2…] per submitter: next ("epoch:next", or empty), facts; per fact: nonce, its text
-- Replies: how many facts were taken over

-- A mirrored nonce is "epoch:changed:stage:owner", the next one "@next" is "epoch:next", and what was
-- settled long ago "@floor" is "nonce:changed". Numbers are below 2^53.

local function numbers(text)
  local first, second = string.match(text or '', '^(%d+):(%d+)')
  return tonumber(first or -1), tonumber(second or -1)
end

-- What cannot be read is earlier than anything.
local function is_later(text, than)
  local epoch, changed = numbers(text)
  local known_epoch, known_changed = numbers(than)
  if epoch ~= known_epoch then
    return epoch > known_epoch
  end
  return changed > known_changed
end

-- A key of another type is not ours; it would fail the whole run.
local function own_hash(key)
  local kind = redis.call('TYPE', key).ok
  if kind ~= 'hash' and kind ~= 'none' then
    redis.call('UNLINK', key)
  end
end

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
return taken`,
  },
  releaseLock: {
    file: 'release-lock.lua',
    sha1: '919c577758caa12178c493f653f170af1031bdb7',
    text: `-- Deletes a lock, if it is still held by this owner.
-- Guarantee: never deletes the lock of another owner, however late it runs.
-- KEYS[1] the lock
-- ARGV[1] owner token
-- Replies: 1 deleted, 0 not ours any more
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0`,
  },
} as const satisfies Readonly<Record<string, LuaScript>>;
