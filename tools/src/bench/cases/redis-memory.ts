import { Redis } from 'ioredis';
import { allocateBlocks } from '../allocate-blocks';
import type { BenchCase, Fact } from '../bench-case';
import type { BenchStores } from '../bench-stores';
import { openFastNode } from '../fast-nodes';
import { openWorker } from '../open-worker';
import { eventsLeft, untilFlushed } from '../waiting-events';

const GRANTS = 51_200;
const KEY_PREFIX = 'bench-strict';

interface Spread {
  readonly submitters: number;
  readonly label: string;
}

/** The window of a chain's default profile, and far more than one. */
const SPREADS: readonly Spread[] = [
  { submitters: 800, label: '64 outstanding per submitter' },
  { submitters: 64, label: '800 outstanding per submitter' },
];

/** Bytes that Redis needs for what is outstanding, before and after its events are flushed. */
export const redisMemory: BenchCase = {
  name: 'redis-memory',
  title: `Memory of Redis: ${GRANTS.toLocaleString('en-US')} outstanding allocations`,
  needs: 'redis',
  notes: [
    'Growth of used_memory_dataset after the epochs were opened, per allocation: what a submitter costs without any is not in it.',
  ],
  open: (stores) =>
    Promise.resolve({
      contenders: [],
      comparisons: [],
      facts: async () => [
        ...(await factsOf(stores, SPREADS[0] as Spread)),
        ...(await factsOf(stores, SPREADS[1] as Spread)),
      ],
      close: () => Promise.resolve(),
    }),
};

async function factsOf(
  stores: BenchStores,
  { submitters, label }: Spread,
): Promise<readonly Fact[]> {
  const redis = new Redis(stores.redisUrl ?? '');
  const node = await openFastNode(stores, 'strict');
  const settings = { databaseUrl: node.databaseUrl, redisUrl: stores.redisUrl ?? '' };
  try {
    await allocateBlocks(node.nonces, submitters, submitters);
    const empty = await datasetBytes(redis);
    await allocateBlocks(node.nonces, GRANTS, submitters);
    const queued = await datasetBytes(redis);
    // The events of opening were there before; those of the grants are all that came.
    const events = (await eventsLeft(redis, KEY_PREFIX)) - submitters;
    const worker = await openWorker({ ...settings, keyPrefix: KEY_PREFIX });
    await untilFlushed(redis, KEY_PREFIX);
    await worker.close();
    const flushed = await datasetBytes(redis);
    const bytes = (what: string, value: number, target: string): Fact => ({
      ...{ label: `${label}: ${what}`, value, target },
      unit: 'B',
    });
    return [
      bytes('allocation with its event', (queued - empty) / events, '≤ 300'),
      bytes('allocation, event flushed', (flushed - empty) / events, '–'),
      bytes('event', (queued - flushed) / events, '–'),
    ];
  } finally {
    await node.close();
    redis.disconnect();
    await stores.flushRedis();
  }
}

async function datasetBytes(redis: Redis): Promise<number> {
  const bytes = /used_memory_dataset:(\d+)/.exec(await redis.info('memory'))?.[1];
  if (bytes === undefined) throw new Error('this Redis does not tell its used_memory_dataset');
  return Number(bytes);
}
