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
