import { setTimeout as pause } from 'node:timers/promises';
import type { QuarantinePolicy } from '../../src/domain/quarantine-policy';
import { FLUSH_DEFAULTS } from '../../src/flush/flush-deps';
import { FlushEvents } from '../../src/flush/flush-events';
import { NO_METRICS } from '../../src/ports/metrics.port';
import { PostgresFlushStore } from '../../src/postgres/postgres-flush-store';
import type { StatementRunner } from '../../src/postgres/statement-runner';
import type { FastKeys } from '../../src/redis/fast-keys';
import type { RedisClient } from '../../src/redis/redis-client';
import { RedisEventQueue } from '../../src/redis/redis-event-queue';
import { SYSTEM_CLOCK } from '../support/fast-engine';

const PAUSE_MS = 50;
const DRAIN_MS = 10_000;
/** Deliveries that a failover brings back to a worker which does not know of them. */
const SILENT_MS = 500;

export interface FlushRoute {
  readonly name: string;
  readonly runner: StatementRunner;
  readonly keys: FastKeys;
  readonly quarantine: QuarantinePolicy;
}

/** A worker that flushes until it is stopped. */
export class RunningFlush {
  private stopping = false;
  private readonly flush: FlushEvents;
  private readonly work: Promise<void>;

  constructor(
    client: RedisClient,
    private readonly route: FlushRoute,
  ) {
    const { name, runner, keys, quarantine } = route;
    const ignore = () => undefined;
    this.flush = new FlushEvents(
      {
        queue: new RedisEventQueue(client, keys, SYSTEM_CLOCK, { consumer: name }),
        store: new PostgresFlushStore(runner),
        reports: { note: () => Promise.resolve() },
        events: { publish: ignore },
        metrics: NO_METRICS,
        logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
        clock: SYSTEM_CLOCK,
      },
      { ...FLUSH_DEFAULTS, worker: name, shards: keys.shards, quarantine, silentMs: SILENT_MS },
    );
    this.work = this.run();
  }

  /** Returns once nothing waits. @throws Error when something still does after a while. */
  async drain(): Promise<void> {
    const shards = Array.from({ length: this.route.keys.shards }, (_, shard) => shard);
    const left = await this.flush.drain(shards, { deadlineMs: DRAIN_MS });
    if (left > 0) throw new Error(`${left} events wait in vain`);
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.work;
    await this.flush.stop();
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      // A Redis that is away keeps its events.
      await this.flush.tick().catch(() => 0);
      await pause(PAUSE_MS);
    }
  }
}
