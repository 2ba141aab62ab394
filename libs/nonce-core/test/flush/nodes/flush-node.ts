/**
 * A flush worker that kills itself with SIGKILL right after a transaction of events was committed
 * and before Redis hears of it, or that goes on until its streams are empty.
 */
import { Redis } from 'ioredis';
import { FLUSH_DEFAULTS } from '../../../src/flush/flush-deps';
import { FlushEvents } from '../../../src/flush/flush-events';
import { SystemClock } from '../../../src/module/system-clock';
import { NO_METRICS } from '../../../src/ports/metrics.port';
import { createDataSource } from '../../../src/postgres/data-source';
import { PostgresFlushReports } from '../../../src/postgres/postgres-flush-reports';
import { PostgresFlushStore } from '../../../src/postgres/postgres-flush-store';
import { StatementRunner } from '../../../src/postgres/statement-runner';
import { FastKeys } from '../../../src/redis/fast-keys';
import { RedisEventQueue } from '../../../src/redis/redis-event-queue';
import { report } from '../../support/child-messages';

export interface FlushOrder {
  readonly worker: string;
  readonly databaseUrl: string;
  readonly schema: string;
  readonly redisUrl: string;
  readonly prefix: string;
  readonly shards: number;
  readonly batchMax: number;
  readonly leaseMs: number;
  readonly silentMs: number;
  /** Batches it acknowledges before it dies with the next one committed; null = it lives. */
  readonly diesAfter: number | null;
}

export type FlushMessage =
  | { readonly kind: 'dies'; readonly committed: number }
  | { readonly kind: 'flushed'; readonly records: number };

const order = JSON.parse(process.argv[2] ?? '') as FlushOrder;

async function main(): Promise<void> {
  const source = createDataSource({ url: order.databaseUrl, schema: order.schema });
  await source.initialize();
  const runner = new StatementRunner(source, order.schema);
  const redis = new Redis(order.redisUrl);
  const clock = new SystemClock();
  const keys = new FastKeys({ prefix: order.prefix, shards: order.shards });
  const queue = new RedisEventQueue(redis, keys, clock, {
    consumer: order.worker,
    retryPauseMs: 0,
  });
  const store = new PostgresFlushStore(runner);
  let acknowledged = 0;
  const flush = new FlushEvents(
    {
      queue: {
        take: queue.take.bind(queue),
        takeAgain: queue.takeAgain.bind(queue),
        backlog: queue.backlog.bind(queue),
        acknowledge: async (events) => {
          if (acknowledged === order.diesAfter) {
            report({ kind: 'dies', committed: events.length } satisfies FlushMessage);
            process.kill(process.pid, 'SIGKILL');
          }
          acknowledged += 1;
          await queue.acknowledge(events);
        },
      },
      store,
      reports: new PostgresFlushReports(runner),
      events: { publish: ignore },
      metrics: NO_METRICS,
      logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
      clock,
    },
    {
      ...FLUSH_DEFAULTS,
      worker: order.worker,
      shards: order.shards,
      quarantine: { ms: 30_000, release: 'replacement' },
      batchMax: order.batchMax,
      leaseMs: order.leaseMs,
      silentMs: order.silentMs,
    },
  );
  const ending = new AbortController();
  process.once('SIGTERM', () => {
    ending.abort();
  });
  while (!ending.signal.aborted) {
    const records = await flush.tick(ending.signal);
    if (records > 0) report({ kind: 'flushed', records } satisfies FlushMessage);
    else await clock.sleep(20, ending.signal);
  }
  await flush.stop();
  redis.disconnect();
  await source.destroy();
}

function ignore(): void {
  // The test reads what is in the stores.
}

void main();
