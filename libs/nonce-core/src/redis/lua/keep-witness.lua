-- Keeps the epochs and ceilings of one shard's submitters, and the run of the database that said so.
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
return known and 1 or 0
