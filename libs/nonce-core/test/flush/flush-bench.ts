import { SystemClock } from '../../src/module/system-clock';
import type { NonceEventMap, NonceEventName } from '../../src/ports/events.port';
import { FLUSH_DEFAULTS, type FlushDeps, type FlushSettings } from '../../src/flush/flush-deps';
import { FlushEvents } from '../../src/flush/flush-events';
import type { FlushEvent } from '../../src/ports/fast-store.port';
import { NO_METRICS } from '../../src/ports/metrics.port';
import { PostgresDeadLetterStore } from '../../src/postgres/postgres-dead-letter-store';
import { PostgresFlushReports } from '../../src/postgres/postgres-flush-reports';
import { FastKeys } from '../../src/redis/fast-keys';
import { RedisEventQueue, type EventQueueOptions } from '../../src/redis/redis-event-queue';
import { QUARANTINE } from '../support/store-fixture';
import { openTestRedis, type TestRedis } from '../support/test-redis';
import { openFlushBench, type FlushBench } from './flushed-rows';

/** Few, so that a test sees them all. */
export const SHARDS = 8;

/** What was published and logged as an error, in order. */
export interface Told {
  readonly events: { readonly name: NonceEventName; readonly payload: unknown }[];
  readonly errors: string[];
}

export interface FlushWorker {
  readonly flush: FlushEvents;
  readonly queue: RedisEventQueue;
  readonly told: Told;
}

/** Both stores, streams that tests write to, and workers that flush them. */
export interface QueueBench extends FlushBench {
  readonly redis: TestRedis;
  readonly keys: FastKeys;
  readonly letters: PostgresDeadLetterStore;
  /** As the scripts of the fast store write them. */
  enqueue(...events: readonly FlushEvent[]): Promise<void>;
  enqueueText(shard: number, fields: readonly string[]): Promise<void>;
  shardOf(event: FlushEvent): number;
  waiting(): Promise<number>;
  worker(
    name: string,
    settings?: Partial<FlushSettings>,
    queue?: Partial<EventQueueOptions>,
  ): FlushWorker;
  /** The same with other parts, as a test needs them. */
  workerOf(name: string, deps: Partial<FlushDeps>, settings?: Partial<FlushSettings>): FlushWorker;
}

export async function openQueueBench(): Promise<QueueBench> {
  const [bench, redis] = await Promise.all([openFlushBench(), openTestRedis()]);
  const keys = new FastKeys({ prefix: redis.prefix, shards: SHARDS });
  const clock = new SystemClock();
  const shards = Array.from({ length: SHARDS }, (_, shard) => shard);
  const queueOf = (consumer: string, options: Partial<EventQueueOptions> = {}) =>
    // No pause between deliveries: tests would wait for it.
    new RedisEventQueue(redis.client, keys, clock, { consumer, retryPauseMs: 0, ...options });
  const workerOf: QueueBench['workerOf'] = (name, deps, settings) => {
    const told: Told = { events: [], errors: [] };
    const queue = queueOf(name);
    const flush = new FlushEvents(
      {
        queue,
        store: bench.flush,
        reports: new PostgresFlushReports(bench.fixture.runner),
        events: tellingSink(told),
        metrics: NO_METRICS,
        logger: {
          debug: ignore,
          info: ignore,
          warn: ignore,
          error: (text) => told.errors.push(text),
        },
        clock,
        ...deps,
      },
      { ...FLUSH_DEFAULTS, worker: name, shards: SHARDS, quarantine: QUARANTINE, ...settings },
    );
    return { flush, queue, told };
  };
  return {
    ...bench,
    redis,
    keys,
    letters: new PostgresDeadLetterStore(bench.fixture.runner),
    shardOf: ({ grant }) => keys.shardOf(grant.submitter),
    async enqueue(...events) {
      const pipeline = redis.client.pipeline();
      for (const event of events) {
        pipeline.xadd(keys.events(keys.shardOf(event.grant.submitter)), '*', ...fieldsOf(event));
      }
      await pipeline.exec();
    },
    async enqueueText(shard, fields) {
      await redis.client.xadd(keys.events(shard), '*', ...fields);
    },
    async waiting() {
      const backlog = await queueOf('observer').backlog(shards);
      return backlog.reduce((sum, { streamLength }) => sum + streamLength, 0);
    },
    worker: (name, settings, options) =>
      workerOf(name, { queue: queueOf(name, options) }, settings),
    workerOf,
    async close() {
      await Promise.all([bench.close(), redis.close()]);
    },
  };
}

function tellingSink(told: Told): FlushDeps['events'] {
  return {
    publish<Name extends NonceEventName>(name: Name, payload: NonceEventMap[Name]) {
      told.events.push({ name, payload });
    },
  };
}

function ignore(): void {
  // What is told is not the point here.
}

const SOURCE_LETTERS = { fresh: 'f', recycled: 'c', replacement: 'p' } as const;

/** The names and order of the entries' fields, as the scripts write them. */
function fieldsOf({ grant, stage, rank, hashes, note, atMs }: FlushEvent): string[] {
  const fields: Record<string, string | number | null> = {
    s: grant.submitter,
    n: grant.nonce,
    v: [
      ...[grant.epoch, grant.generation, rank],
      stage.charAt(0) + SOURCE_LETTERS[grant.source] + grant.exposure.charAt(0),
      ...[grant.id, grant.grantedAtMs],
      ...[grant.deadlineMs - grant.grantedAtMs, atMs - grant.grantedAtMs],
    ].join(' '),
    p: grant.operationId,
    m: grant.metadata === null ? null : JSON.stringify(grant.metadata),
    h: hashes.length === 0 ? null : hashes.join(','),
    w: note,
  };
  return Object.entries(fields).flatMap(([name, value]) =>
    value === null ? [] : [name, String(value)],
  );
}
