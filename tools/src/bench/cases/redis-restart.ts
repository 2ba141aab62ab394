import { performance } from 'node:perf_hooks';
import { isNonceError } from '@noncekit/nonce-core';
import { Client } from 'pg';
import { RedisServer } from '../../stack/redis-server';
import type { BenchCase, Fact } from '../bench-case';
import { SCHEMA } from '../bench-stores';
import { openNonces, type OpenNonces } from '../open-nonces';
import { submitterAt } from '../submitters';

const SUBMITTERS = 100_000;
const HOT = 1_000;
const CALLERS = 64;
/** Callers that walk through all the others meanwhile: the hot ones must not wait for them. */
const COLD_CALLERS = 16;

/** A Redis that comes back is another one: every submitter needs a new epoch, at its first touch. */
export const redisRestart: BenchCase = {
  name: 'redis-restart',
  title: 'Redis restarts under 100,000 submitters',
  notes: [
    `Of ${SUBMITTERS.toLocaleString('en-US')} submitters in performance epochs ${HOT.toLocaleString('en-US')} are hot: ${CALLERS} callers want one nonce of each as soon as Redis is back, while ${COLD_CALLERS} callers walk through the others.`,
  ],
  async open(stores) {
    const redis = await RedisServer.start();
    const databaseUrl = await stores.database();
    await openAll(databaseUrl);
    const node = await openNonces({
      databaseUrl,
      redisUrl: redis.url,
      performance: { intents: 'strict', keyPrefix: 'bench' },
    });
    return {
      contenders: [],
      comparisons: [],
      facts: () => restart(redis, node, databaseUrl),
      async close() {
        await node.close();
        await redis.stop();
      },
    };
  },
};

/** All submitters as an earlier Redis left them. */
async function openAll(databaseUrl: string): Promise<void> {
  const statements = [
    `INSERT INTO ${SCHEMA}.submitter_nonce_state
       (submitter, epoch, engine, incarnation, base, next_local_nonce, ceiling)
     SELECT 'eip155:424242:0x' || lpad(to_hex(n), 40, '0'), 2, 'performance', 'gone', 0, 0, 32
     FROM generate_series(1, ${String(SUBMITTERS)}) n`,
    `INSERT INTO ${SCHEMA}.epoch_log (submitter, epoch, engine, incarnation, base, reason)
     SELECT submitter, 2, 'performance', 'gone', 0, 'benchmark'
     FROM ${SCHEMA}.submitter_nonce_state`,
    'ANALYZE',
  ];
  await withClient(databaseUrl, async (client) => {
    for (const statement of statements) await client.query(statement);
  });
}

async function restart(
  redis: RedisServer,
  node: OpenNonces,
  databaseUrl: string,
): Promise<readonly Fact[]> {
  const firstMs = await serveHot(node);
  await redis.kill();
  await redis.restart();
  const committed = await commits(databaseUrl);
  const cold = walkCold(node);
  const servedMs = await serveHot(node);
  const transactions = (await commits(databaseUrl)) - committed;
  const coldServed = await cold.stop();
  return [
    {
      label: 'until all hot submitters had an epoch at first',
      value: firstMs,
      unit: 'ms',
      target: '–',
    },
    { label: 'until all were served again', value: servedMs, unit: 'ms', target: '–' },
    {
      label: 'database transactions meanwhile',
      value: (transactions / servedMs) * 1_000,
      unit: '/s',
      target: '–',
    },
    { label: 'other submitters served meanwhile', value: coldServed, unit: '', target: '–' },
  ];
}

/** Milliseconds until each hot submitter was granted one nonce. */
async function serveHot(node: OpenNonces): Promise<number> {
  const startedAtMs = performance.now();
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < HOT) {
      next += 1;
      await untilGranted(node, submitterAt(next - 1));
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, work));
  return performance.now() - startedAtMs;
}

function walkCold(node: OpenNonces): { stop(): Promise<number> } {
  let stopped = false;
  let served = 0;
  const work = async (_: unknown, caller: number): Promise<void> => {
    for (let i = HOT + caller; i < SUBMITTERS && !stopped; i += COLD_CALLERS) {
      await untilGranted(node, submitterAt(i));
      served += 1;
    }
  };
  const all = Promise.all(Array.from({ length: COLD_CALLERS }, work));
  return {
    async stop() {
      stopped = true;
      await all;
      return served;
    },
  };
}

/** While Redis is away callers are refused at once; a real one would wait a little and ask again. */
async function untilGranted({ nonces }: OpenNonces, submitter: string): Promise<void> {
  for (;;) {
    try {
      await nonces.allocate(submitter);
      return;
    } catch (error) {
      if (!isNonceError(error, 'NONCE_STORE_UNAVAILABLE')) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

async function commits(databaseUrl: string): Promise<number> {
  return withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<{ commits: string }>(
      'SELECT xact_commit AS commits FROM pg_stat_database WHERE datname = current_database()',
    );
    return Number(rows[0]?.commits);
  });
}

async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
