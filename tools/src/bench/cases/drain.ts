import { performance } from 'node:perf_hooks';
import { Redis } from 'ioredis';
import type { Allocation, EngineMode } from '@noncekit/nonce-core/domain';
import { pollUntil } from '../../stack/poll-until';
import type { BenchCase, Fact } from '../bench-case';
import type { BenchStores } from '../bench-stores';
import { openFastNode, type FastNode } from '../fast-nodes';
import { allocateBlocks } from '../allocate-blocks';
import { spreadOf } from '../statistics';
import { eventsLeft } from '../waiting-events';

const EVENTS = 10_000;
const TRIALS = 3;
const SUBMITTERS = 64;
const TIMEOUT_MS = 60_000;

/** How a switch away from Redis finds it. */
interface Way {
  readonly to: EngineMode;
  readonly label: string;
  /** Grants, each of which is one event, and one more if it is settled. */
  readonly grants: number;
  readonly settled: boolean;
  /** Who may have sent under `strict` is settled in Postgres, without an event. */
  readonly intents: 'strict' | 'relaxed';
}

const WAYS: readonly Way[] = [
  {
    to: 'DRAIN',
    label: 'PERFORMANCE to DRAIN, all nonces settled',
    grants: EVENTS / 2,
    settled: true,
    intents: 'relaxed',
  },
  {
    to: 'RELIABLE',
    label: 'PERFORMANCE to RELIABLE, all nonces outstanding',
    grants: EVENTS,
    settled: false,
    intents: 'strict',
  },
];

/** From the order until the queue is empty and every fast epoch is over. */
export const drain: BenchCase = {
  name: 'drain',
  title: `Drain of ${EVENTS.toLocaleString('en-US')} queued events of ${String(SUBMITTERS)} submitters`,
  needs: 'redis',
  notes: [
    `The process that orders the switch also drains; no worker shares the work. Medians and worst of ${String(TRIALS)} trials.`,
  ],
  open: (stores) =>
    Promise.resolve({
      contenders: [],
      comparisons: [],
      facts: async () => [
        ...(await factsOf(stores, WAYS[0] as Way)),
        ...(await factsOf(stores, WAYS[1] as Way)),
      ],
      close: () => Promise.resolve(),
    }),
};

async function factsOf(stores: BenchStores, way: Way): Promise<readonly Fact[]> {
  const timesMs: number[] = [];
  while (timesMs.length < TRIALS) timesMs.push(await drainOnce(stores, way));
  const { median, max } = spreadOf(timesMs);
  return [
    { label: way.label, value: median, unit: 'ms', target: '–' },
    { label: `${way.label}, worst`, value: max, unit: 'ms', target: '≤ 5,000' },
  ];
}

async function drainOnce(stores: BenchStores, way: Way): Promise<number> {
  const node = await openFastNode(stores, way.intents);
  try {
    const allocations = await allocateBlocks(node.nonces, way.grants, SUBMITTERS);
    if (way.settled) await settle(node, allocations);
    await refuseFewer(stores, way);
    const startedAtMs = performance.now();
    await node.switching.switchTo({ to: way.to, actor: 'benchmark', reason: 'how long it takes' });
    await pollUntil(async () => (await node.switching.history(1))[0]?.state !== 'running', {
      timeoutMs: TIMEOUT_MS,
      describe: 'the drain to end',
      everyMs: 5,
    });
    return performance.now() - startedAtMs;
  } finally {
    await node.close();
    await stores.flushRedis();
  }
}

/** @throws Error when something has drained already what is to be measured. */
async function refuseFewer({ redisUrl = '' }: BenchStores, { intents }: Way): Promise<void> {
  const redis = new Redis(redisUrl);
  try {
    const events = await eventsLeft(redis, `bench-${intents}`);
    if (events < EVENTS) throw new Error(`only ${String(events)} events wait`);
  } finally {
    redis.disconnect();
  }
}

async function settle({ nonces }: FastNode, allocations: readonly Allocation[]): Promise<void> {
  await Promise.all(allocations.map((allocation) => nonces.markUsed(allocation, {})));
}
