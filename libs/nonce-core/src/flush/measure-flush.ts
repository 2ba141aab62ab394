import type { DeadLetterStore, EventQueue } from '../ports/flush-store.port';
import type { Metrics } from '../ports/metrics.port';

interface MeasureFlushDeps {
  readonly queue: Pick<EventQueue, 'backlog'>;
  readonly letters: Pick<DeadLetterStore, 'count'>;
  readonly metrics: Metrics;
}

/** Sets the gauges of what waits, so that a scrape asks no store. Every worker sees all shards. */
export class MeasureFlush {
  private readonly shards: readonly number[];

  constructor(
    private readonly deps: MeasureFlushDeps,
    shards: number,
  ) {
    this.shards = Array.from({ length: shards }, (_, shard) => shard);
  }

  async tick(): Promise<void> {
    const { queue, letters, metrics } = this.deps;
    const [backlog, deadLetters] = await Promise.all([queue.backlog(this.shards), letters.count()]);
    const waiting = backlog.reduce((sum, { streamLength }) => sum + streamLength, 0);
    const oldestMs = Math.max(0, ...backlog.map((shard) => shard.oldestEventAgeMs ?? 0));
    metrics.set('nonce_flush_backlog_records', {}, waiting);
    metrics.set('nonce_flush_oldest_record_age_seconds', {}, oldestMs / 1_000);
    metrics.set('nonce_dead_letters', {}, deadLetters);
  }
}
