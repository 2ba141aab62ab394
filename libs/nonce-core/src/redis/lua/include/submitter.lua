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
