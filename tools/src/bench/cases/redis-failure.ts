import { setTimeout as delay } from 'node:timers/promises';
import { RedisServer } from '../../stack/redis-server';
import type { BenchCase, Fact } from '../bench-case';
import type { BenchStores } from '../bench-stores';
import { failuresOf } from '../failures';
import { clockMs, type CallRecord } from '../paced-load';
import { startPacedNodes } from '../paced-nodes';
import { spreadOf } from '../statistics';

const TRIALS = 3;
const NODES = 2;
/** For each node. */
const CALLERS_PER_SECOND = 500;
const SUBMITTERS = 100;
/** Of load before the failure, and after it: longer than a call may wait. */
const BEFORE_MS = 1_500;
const AFTER_MS = 6_000;

type Failure = 'killed' | 'stopped';

interface Trial {
  readonly failedAtMs: number;
  readonly records: readonly CallRecord[];
}

/** From a Redis that is gone, or silent, to grants of Postgres. */
export const redisFailure: BenchCase = {
  name: 'redis-failure',
  title: `Redis fails under ${String(NODES * CALLERS_PER_SECOND)} callers a second in PERFORMANCE`,
  needs: 'redis',
  notes: [
    `Each of ${String(TRIALS)} trials has stores and ${String(NODES)} processes of its own; Redis is killed (SIGKILL) or stopped (SIGSTOP: connections stay open and nobody answers). Values are the median of the trials, and the worst. A Redis that is served by Postgres instead is left by one switch to DEGRADED.`,
  ],
  open: (stores) =>
    Promise.resolve({
      contenders: [],
      comparisons: [],
      facts: async () => [
        ...(await factsAbout('killed', stores)),
        ...(await factsAbout('stopped', stores)),
      ],
      close: () => Promise.resolve(),
    }),
};

async function factsAbout(failure: Failure, stores: BenchStores): Promise<readonly Fact[]> {
  const trials: Trial[] = [];
  while (trials.length < TRIALS) trials.push(await fail(failure, stores));
  const served = spreadOf(trials.map(untilServed));
  const waited = spreadOf(trials.map(longestWait));
  const ms = (label: string, value: number, target: string): Fact => ({
    label: `Redis ${failure}: ${label}`,
    ...{ value, target },
    unit: 'ms',
  });
  return [
    ms('until Postgres serves', served.median, '≤ 1,000'),
    ms('until Postgres serves, worst', served.max, '≤ 1,000'),
    ms('longest wait of a caller', waited.median, '–'),
    ms('longest wait of a caller, worst', waited.max, '–'),
    ...failuresOf(
      trials.flatMap(({ records }) => records),
      { of: `Redis ${failure}`, target: '–' },
    ),
  ];
}

async function fail(failure: Failure, stores: BenchStores): Promise<Trial> {
  const redis = await RedisServer.start();
  try {
    const nodes = await startPacedNodes(
      {
        databaseUrl: await stores.database(),
        redisUrl: redis.url,
        submitters: SUBMITTERS,
        performance: { intents: 'strict', keyPrefix: 'bench-failure' },
      },
      NODES,
    );
    try {
      nodes.pace({ callersPerSecond: CALLERS_PER_SECOND });
      await delay(BEFORE_MS);
      const failedAtMs = clockMs();
      if (failure === 'killed') await redis.kill();
      else redis.pause();
      await delay(AFTER_MS);
      return { failedAtMs, records: await nodes.stopPace() };
    } finally {
      await nodes.close();
    }
  } finally {
    if (failure === 'stopped') redis.resume();
    await redis.stop();
  }
}

/** To the first grant that did not come from Redis. */
function untilServed({ failedAtMs, records }: Trial): number {
  const grants = records.filter(({ engine }) => engine !== null && engine !== 'performance');
  const first = Math.min(...grants.map(({ beganAtMs, waitedMs }) => beganAtMs + waitedMs));
  if (!Number.isFinite(first)) throw new Error('Postgres never served');
  return first - failedAtMs;
}

function longestWait({ failedAtMs, records }: Trial): number {
  return records.reduce(
    (longest, { beganAtMs, waitedMs }) =>
      beganAtMs + waitedMs < failedAtMs ? longest : Math.max(longest, waitedMs),
    0,
  );
}
