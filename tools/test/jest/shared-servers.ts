import type { Stack } from '../../src/stack/index';

/** What every test worker needs to know of the servers of this run. */
export interface SharedServers {
  /** URL of an account that may create databases. */
  readonly adminUrl: string;
  readonly redisUrl: string;
  readonly templateName: string;
}

/** Workers inherit the environment; the name is outside of the applications' own NONCE_ names. */
const VARIABLE = 'NONCEKIT_TEST_SERVERS';

const holder = globalThis as { noncekitTestStack?: Stack };

export function rememberStack(stack: Stack, servers: SharedServers): void {
  holder.noncekitTestStack = stack;
  process.env[VARIABLE] = JSON.stringify(servers);
}

export function rememberedStack(): Stack | undefined {
  return holder.noncekitTestStack;
}

/** @throws Error outside of a test run. */
export function sharedServers(): SharedServers {
  const text = process.env[VARIABLE];
  if (text === undefined) throw new Error('no test servers: run this through Jest');
  return JSON.parse(text) as SharedServers;
}
