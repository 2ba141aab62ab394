import { Redis } from 'ioredis';
import type { BenchStores } from './bench-stores';
import { RawFastScript } from './contenders/raw-fast-script';
import { openNonces, type OpenNonces } from './open-nonces';
import { submitterAt } from './submitters';

export interface FastNode extends OpenNonces {
  readonly databaseUrl: string;
}

/** A node in PERFORMANCE mode on a database and below a key prefix of its own. */
export async function openFastNode(
  stores: BenchStores,
  intents: 'strict' | 'relaxed',
): Promise<FastNode> {
  const databaseUrl = await stores.database();
  const performance = { intents, keyPrefix: `bench-${intents}` };
  const node = await openNonces({ databaseUrl, redisUrl: stores.redisUrl, performance });
  return { ...node, databaseUrl };
}

export interface RawFast {
  readonly script: RawFastScript;
  /** Takes the events out of every stream, as a worker would have: outside the measured time. */
  readonly tidy: () => Promise<void>;
  /** Leaves an empty Redis to the next case; it is this run's own. */
  close(): Promise<void>;
}

/** The script alone, for a submitter whose epoch that node has opened. */
export async function openRawFast(stores: BenchStores, node: FastNode): Promise<RawFast> {
  const submitter = submitterAt(1);
  await node.nonces.allocate(submitter);
  const connection = RawFastScript.connect(stores.redisUrl ?? '');
  await connection.connect();
  const script = new RawFastScript(connection, submitter);
  await script.prepare();
  const redis = new Redis(stores.redisUrl ?? '');
  return {
    script,
    async tidy() {
      for (const stream of await redis.keys('bench*:events'))
        await redis.xtrim(stream, 'MAXLEN', 0);
    },
    async close() {
      connection.disconnect();
      await redis.flushall();
      redis.disconnect();
    },
  };
}
