-- The keys of one submitter, as a run finds and leaves them. Wants incarnation.lua.
--
-- Numbers are doubles: exact up to 2^53, but tostring() and the .. operator keep 14 digits only.
-- So nonces are passed to commands as numbers or as text made by '%.0f', never by these two.
local function text(number)
  return string.format('%.0f', number)
end

local function existing_keys(s)
  return redis.call('EXISTS', s.free, s.held, s.snap, s.ops, s.ids[0], s.ids[1])
end

-- What stands behind a view, or nil, why not, and the epoch that rules here.
-- A key that is gone without the run that ended it makes the whole epoch unusable: what it held
-- cannot be told any more, and a wrong guess would be a second grant of the same nonce.
local function enter(first_key, epoch, incarnation, token)
  -- guard incarnation
  if incarnation ~= token then
    return nil, 'incarnation', -1
  end
  -- end guard incarnation
  local found = redis.call('HGETALL', KEYS[first_key])
  if #found == 0 then
    return nil, 'absent', -1
  end
  local s = {}
  for i = 1, #found, 2 do
    s[found[i]] = found[i + 1]
  end
  local ruling = tonumber(s.epoch) or -1
  -- guard incarnation
  if s.inc ~= token then
    return nil, 'incarnation', ruling
  end
  -- end guard incarnation
  -- guard epoch
  if s.epoch ~= epoch then
    return nil, 'epoch', ruling
  end
  -- end guard epoch
  if s.retired then
    return nil, 'epoch', ruling
  end
  s.state, s.free, s.held = KEYS[first_key], KEYS[first_key + 1], KEYS[first_key + 2]
  s.snap, s.ops = KEYS[first_key + 3], KEYS[first_key + 4]
  s.ids = { [0] = KEYS[first_key + 5], KEYS[first_key + 6] }
  s.next, s.ceiling, s.gen = tonumber(s.next), tonumber(s.ceiling), tonumber(s.gen)
  s.floor, s.reserved, s.keys = tonumber(s.floor), tonumber(s.reserved), tonumber(s.keys)
  if not (s.next and s.ceiling and s.gen and s.floor and s.reserved and s.birth) then
    return nil, 'absent', ruling
  end
  -- guard lost-key
  if existing_keys(s) ~= s.keys then
    return nil, 'absent', ruling
  end
  -- end guard lost-key
  s.reserved_before = s.reserved
  return s
end

-- Writes what the run has changed beside the grants themselves.
local function leave(s)
  local keys = existing_keys(s)
  if keys ~= s.keys or s.reserved ~= s.reserved_before then
    redis.call('HSET', s.state, 'keys', keys, 'reserved', s.reserved)
  end
end
