-- Snapshots of grants, and the events that carry them to Postgres. Wants submitter.lua.
--
-- A snapshot is packed in this order: stage, id, generation, rank, source, exposure, granted ms,
-- deadline ms, operation, metadata, hashes, note. Absent texts are empty. Stages: G granted,
-- X exposing (held until its deadline, but only Postgres decides), B broadcast, A asserted,
-- R reusable (free here), Q quarantined, E expired.
local STAGE, ID, GENERATION, RANK, SOURCE, EXPOSURE = 1, 2, 3, 4, 5, 6
local GRANTED_AT, DEADLINE, OPERATION, METADATA, HASHES, NOTE = 7, 8, 9, 10, 11, 12

local OPTIONAL = { [OPERATION] = 'p', [METADATA] = 'm', [HASHES] = 'h', [NOTE] = 'w' }

local WORDS = {
  G = 'GRANTED', X = 'GRANTED', B = 'BROADCAST', A = 'ASSERTED', R = 'REUSABLE',
  Q = 'QUARANTINED', E = 'EXPIRED',
  f = 'fresh', c = 'recycled', p = 'replacement',
  d = 'declared', i = 'inferred', a = 'assumed',
}

local function snapshot_of(s, nonce)
  local packed = redis.call('HGET', s.snap, nonce)
  return packed and cmsgpack.unpack(packed)
end

local function save_snapshot(s, nonce, snapshot)
  redis.call('HSET', s.snap, nonce, cmsgpack.pack(snapshot))
end

-- Names and values in turn, as flush-event-fields.ts reads them.
local function fields_of(s, nonce, snapshot, now)
  local fields = {
    's', s.submitter, 'n', nonce, 'e', s.epoch, 'g', snapshot[GENERATION], 'r', snapshot[RANK],
    'k', WORDS[snapshot[STAGE]], 'i', snapshot[ID], 'c', WORDS[snapshot[SOURCE]],
    'x', WORDS[snapshot[EXPOSURE]], 't', time_text(snapshot[GRANTED_AT]),
    'd', time_text(snapshot[DEADLINE]), 'a', time_text(now),
  }
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
