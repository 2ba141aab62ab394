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
