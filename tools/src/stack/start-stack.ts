import { dirname } from 'node:path';
import { AnvilServer, type AnvilOptions } from './anvil-server';
import { givenServices, type Environment, type GivenServices } from './given-services';
import { PostgresServer } from './postgres-server';
import type { PostgresSettings } from './postgres-settings';
import { RedisServer } from './redis-server';
import { Stack, type MissingPart, type StackChain, type StackParts } from './stack';
import { StackDirectory } from './stack-directory';
import { StackError } from './stack-error';
import { isReachableByEverybody } from './unprivileged-account';

export interface StackOptions {
  /** Where the servers keep their files; without it they use temporary folders that vanish. */
  readonly dataDir?: string;
  /** Keeps what an earlier stack left in `dataDir`. Off by default: a new chain contradicts it. */
  readonly keepData?: boolean;
  readonly log?: (line: string) => void;
  readonly environment?: Environment;
  readonly postgresSettings?: PostgresSettings;
  readonly redisConfig?: readonly string[];
  /** `false` leaves the chain out. */
  readonly chain?: AnvilOptions | false;
}

interface Launch {
  readonly options: StackOptions;
  readonly given: GivenServices;
  readonly directory: StackDirectory | undefined;
  readonly log: (line: string) => void;
}

type Servers = { -readonly [Name in keyof StackParts['servers']]: StackParts['servers'][Name] };

/**
 * Brings up Postgres, Redis and a development chain, using what the environment gives first.
 * Redis and the chain may be missing (see `stack.missing`); without Postgres there is no stack.
 * @throws StackError with what to do; whatever was started until then is ended first.
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const log = options.log ?? (() => undefined);
  const given = givenServices(options.environment ?? process.env);
  const directory =
    options.dataDir === undefined ? undefined : StackDirectory.claim(options.dataDir);
  const launch: Launch = { options, given, directory, log };
  const servers: Servers = {};
  try {
    const databaseUrl = await postgresOf(launch, servers);
    const missing: MissingPart[] = [];
    const redisUrl = await orMissing('redis', () => redisOf(launch, servers), { missing, log });
    const chain = await orMissing('chain', () => chainOf(launch, servers), { missing, log });
    const parts = { databaseUrl, redisUrl, chain, missing, servers };
    return new Stack(parts, () => directory?.release());
  } catch (error) {
    await Promise.allSettled([
      servers.anvil?.stop(),
      servers.redis?.stop(),
      servers.postgres?.stop(),
    ]);
    directory?.release();
    throw error;
  }
}

async function postgresOf(launch: Launch, servers: Servers): Promise<string> {
  const { options, given, log } = launch;
  if (given.databaseUrl !== undefined) {
    log('Postgres: using NONCE_DATABASE_URL');
    return given.databaseUrl;
  }
  log('Postgres: starting');
  const dataDir = postgresFolder(launch);
  servers.postgres = await PostgresServer.start({
    ...(dataDir === undefined ? {} : { dataDir }),
    ...(options.postgresSettings === undefined ? {} : { settings: options.postgresSettings }),
  });
  const { origin, port } = servers.postgres;
  log(`Postgres: ready on port ${String(port)} (${origin})`);
  return servers.postgres.url();
}

/** Undefined stands for a temporary folder: also for root's home, which Postgres cannot enter. */
function postgresFolder({ directory, options }: Launch): string | undefined {
  const folder = serverFolder(directory, 'postgres', options.keepData === true);
  if (folder === undefined || process.getuid?.() !== 0) return folder;
  return isReachableByEverybody(dirname(folder)) ? folder : undefined;
}

async function redisOf(launch: Launch, servers: Servers): Promise<string> {
  const { options, given, directory, log } = launch;
  if (given.redisUrl !== undefined) {
    log('Redis: using NONCE_REDIS_URL');
    return given.redisUrl;
  }
  log('Redis: starting');
  const dataDir = serverFolder(directory, 'redis', options.keepData === true);
  servers.redis = await RedisServer.start({
    log,
    ...(dataDir === undefined ? {} : { dataDir }),
    ...(options.redisConfig === undefined ? {} : { config: options.redisConfig }),
  });
  log(`Redis: ready on port ${String(servers.redis.port)}`);
  return servers.redis.url;
}

async function chainOf(launch: Launch, servers: Servers): Promise<StackChain | undefined> {
  const { options, given, log } = launch;
  if (options.chain === false) return undefined;
  if (given.chain !== undefined) {
    log(`Chain: using the given RPC of chain ${String(given.chain.chainId)}`);
    return given.chain;
  }
  log('Chain: starting anvil');
  servers.anvil = await AnvilServer.start(options.chain ?? {});
  const { chainId, url, mnemonic, port } = servers.anvil;
  log(`Chain: ready on port ${String(port)} (chain ${String(chainId)})`);
  return { chainId, rpcUrl: url, mnemonic };
}

function serverFolder(
  directory: StackDirectory | undefined,
  name: string,
  keepData: boolean,
): string | undefined {
  if (!keepData) directory?.remove(name);
  return directory?.folder(name);
}

/** Turns "cannot be had" into an entry of the list; any other failure is passed on. */
async function orMissing<T>(
  part: MissingPart['part'],
  start: () => Promise<T>,
  report: { readonly missing: MissingPart[]; readonly log: (line: string) => void },
): Promise<T | undefined> {
  try {
    return await start();
  } catch (error) {
    if (!(error instanceof StackError)) throw error;
    report.missing.push({ part, problem: error.message });
    report.log(`${part === 'redis' ? 'Redis' : 'Chain'}: not available: ${error.message}`);
    return undefined;
  }
}
