import { performance } from 'node:perf_hooks';
import { Redis } from 'ioredis';
import { pollUntil } from '../../stack/poll-until';
import type { BenchCase, Contender } from '../bench-case';
import type { BenchStores } from '../bench-stores';
import { RawFlush } from '../contenders/raw-flush';
import { openFastNode, type FastNode } from '../fast-nodes';
import { openWorker } from '../open-worker';
import type { Sample } from '../statistics';
import { submitterAt } from '../submitters';

const EVENTS = 60_000;
const BLOCK = 250;
const SUBMITTERS = 64;
const BLOCKS_TOGETHER = 4;
const BATCH_MAX = 500;
const WORKERS = 2;
const DRAIN_TIMEOUT_MS = 120_000;
const STREAMS = 'bench-strict*:events';
const OURS = 'noncekit, two workers';
const RAW = 'raw stream drain into an upsert, two consumers';

/** What Redis granted becomes rows: guarded and in any order, beside the least that writes the same. */
export const flush: BenchCase = {
  name: 'flush',
  title: `Flush: ${EVENTS.toLocaleString('en-US')} events of ${SUBMITTERS} submitters`,
  needs: 'redis',
  notes: [
    'Workers and consumers run in one program. Time is taken from the first event that is gone to the last; the start of the workers is not in it.',
  ],
  async open(stores) {
    const node = await openFastNode(stores, 'strict');
    const redis = new Redis(stores.redisUrl ?? '');
    const raw = new RawFlush(redis, node.databaseUrl, BATCH_MAX);
    await raw.prepare();
    const rounds = { node, redis, stores };
    const contenders: readonly Contender[] = [
      { name: OURS, run: () => ours(rounds) },
      { name: RAW, run: () => byHand(rounds, raw) },
    ];
    return {
      contenders,
      comparisons: [
        { label: 'to the raw drain', of: OURS, to: RAW, by: 'perSecond', target: '≥ 0.8' },
      ],
      async close() {
        await Promise.all([node.close(), raw.close()]);
        await redis.flushall();
        redis.disconnect();
      },
    };
  },
};

interface Rounds {
  readonly node: FastNode;
  readonly redis: Redis;
  readonly stores: BenchStores;
}

async function ours({ node, redis, stores }: Rounds): Promise<Sample> {
  await fill(node);
  const settings = {
    databaseUrl: node.databaseUrl,
    redisUrl: stores.redisUrl ?? '',
    keyPrefix: 'bench-strict',
  };
  const filled = await waiting(redis);
  const workers = await Promise.all(Array.from({ length: WORKERS }, () => openWorker(settings)));
  try {
    const begun = await until(redis, 'the first event to go', (left) => left < filled);
    const ended = await until(redis, 'the last event to go', (left) => left === 0);
    return sampleOf(begun.left, ended.atMs - begun.atMs);
  } finally {
    await Promise.all(workers.map((worker) => worker.close()));
  }
}

async function byHand({ node, redis }: Rounds, raw: RawFlush): Promise<Sample> {
  await fill(node);
  const streams = await redis.keys(STREAMS);
  await raw.join(streams);
  const startedAtMs = performance.now();
  const drained = Array.from({ length: WORKERS }, (_, at) =>
    raw.drain(
      `consumer-${String(at)}`,
      streams.filter((__, i) => i % WORKERS === at),
    ),
  );
  const written = (await Promise.all(drained)).reduce((sum, each) => sum + each, 0);
  return sampleOf(written, performance.now() - startedAtMs);
}

async function fill({ nonces }: FastNode): Promise<void> {
  let blocks = 0;
  const work = async (): Promise<void> => {
    while (blocks < EVENTS / BLOCK) {
      blocks += 1;
      await nonces.allocate(submitterAt(blocks % SUBMITTERS), { count: BLOCK });
    }
  };
  await Promise.all(Array.from({ length: BLOCKS_TOGETHER }, work));
}

async function until(
  redis: Redis,
  describe: string,
  done: (left: number) => boolean,
): Promise<{ readonly left: number; readonly atMs: number }> {
  return pollUntil(
    async () => {
      const left = await waiting(redis);
      return done(left) ? { left, atMs: performance.now() } : undefined;
    },
    { timeoutMs: DRAIN_TIMEOUT_MS, describe, everyMs: 5 },
  );
}

async function waiting(redis: Redis): Promise<number> {
  const pipeline = redis.pipeline();
  for (const stream of await redis.keys(STREAMS)) pipeline.xlen(stream);
  const lengths = (await pipeline.exec()) ?? [];
  return lengths.reduce((sum, [, length]) => sum + Number(length), 0);
}

/** Nobody waits for a single event, so there is no latency to tell. */
function sampleOf(calls: number, elapsedMs: number): Sample {
  return { calls, elapsedMs, perSecond: (calls / elapsedMs) * 1_000, p50Ms: NaN, p99Ms: NaN };
}
