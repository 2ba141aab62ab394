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
