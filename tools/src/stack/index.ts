/** The door of the local servers, for `npm start`, the tests, the benchmarks and the chaos runs. */
export { AnvilServer, DEFAULT_CHAIN_ID, DEVELOPMENT_MNEMONIC } from './anvil-server';
export type { AnvilOptions } from './anvil-server';
export { findFreePort } from './free-port';
export { installedProgram } from './installed-program';
export { pollUntil } from './poll-until';
export type { PollOptions } from './poll-until';
export { PostgresServer } from './postgres-server';
export type { PostgresOptions } from './postgres-server';
export { childrenOf, isAlive } from './process-tree';
export { RedisServer } from './redis-server';
export type { RedisOptions } from './redis-server';
export { Stack } from './stack';
export type { MissingPart, StackChain } from './stack';
export { StackError } from './stack-error';
export { startStack } from './start-stack';
export type { StackOptions } from './start-stack';
export { forgetServer, watchServer } from './watchdog';
