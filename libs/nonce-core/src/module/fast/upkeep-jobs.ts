import type { PerformanceEngine } from '../../engines/performance/performance-engine';
import { refuseEviction } from '../../redis/redis-boot-checks';
import type { RedisClient } from '../../redis/redis-client';
import type { JobPlan } from '../tracking/periodic-job';

/** Soon enough that a nonce which became free is issued before many fresh ones. */
const LOOK_MS = 1_000;
/** An idle epoch is closed at the latest a quarter of the idle time late. */
const LOOKS_PER_IDLE_TIME = 4;
/** Each costs a round trip or two; what is left over comes with the next tick. */
const SUBMITTERS_PER_TICK = 500;
const RESERVATIONS_PER_TICK = 5_000;

/** Settings of Redis are changed by people, rarely. */
const CHECK_REDIS_MS = 60_000;

interface UpkeepParts {
  readonly engine: PerformanceEngine;
  readonly client: RedisClient;
  readonly idleCloseMs: number;
}

/** What a node that has a fast store does again and again for the submitters it serves from it. */
export function upkeepJobs({ engine, client, idleCloseMs }: UpkeepParts): readonly JobPlan[] {
  return [
    { name: 'fast-check', intervalMs: CHECK_REDIS_MS, run: () => refuseEviction(client) },
    { name: 'fast-load', intervalMs: LOOK_MS, run: () => engine.loadFree(SUBMITTERS_PER_TICK) },
    {
      name: 'fast-reclaim',
      intervalMs: LOOK_MS,
      run: () => engine.reclaimExpired(RESERVATIONS_PER_TICK),
    },
    {
      name: 'fast-idle-close',
      intervalMs: Math.ceil(idleCloseMs / LOOKS_PER_IDLE_TIME),
      run: () => engine.closeIdle(),
    },
  ];
}
