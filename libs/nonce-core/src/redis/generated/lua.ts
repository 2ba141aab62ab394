// Generated from redis/lua/*.lua by `npm run generate`. Edit the .lua files, not this one.

export interface LuaScript {
  readonly file: string;
  readonly text: string;
  /** Digest for EVALSHA. */
  readonly sha1: string;
}

export const LUA = {
} as const satisfies Readonly<Record<string, LuaScript>>;
