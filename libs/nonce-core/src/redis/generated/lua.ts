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
