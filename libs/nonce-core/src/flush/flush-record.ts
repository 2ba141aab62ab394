import type { QueuedEvent } from '../ports/flush-store.port';
import type { FlushDeps, FlushSettings } from './flush-deps';

/** How flushing goes in this process. */
export interface FlushHealth {
  readonly lastSuccessAt: Date | null;
  readonly lastFailureAt: Date | null;
  readonly lastFailure: string | null;
  /** Pieces of work in a row that a store failed. */
  readonly failures: number;
  readonly recordsPerSecond: number;
  /** Of the last pieces of work, 0…100; null before the first one. */
  readonly successPercent: number | null;
  /** Shards that this worker holds. */
  readonly shards: number;
}

/** The rate is that of so many last seconds. */
const RATE_SECONDS = 10;
/** At five looks a second the last twenty seconds. */
const REMEMBERED_PIECES = 100;

/** Tells of successes and failures: metrics, events, the log, the other nodes, and health. */
export class FlushRecord {
  private readonly seconds = new Map<number, number>();
  private lastSuccessMs: number | null = null;
  private lastFailureMs: number | null = null;
  private lastFailure: string | null = null;
  private failures = 0;
  private readonly pieces: boolean[] = [];

  constructor(
    private readonly deps: Omit<FlushDeps, 'queue' | 'store'>,
    private readonly settings: Pick<FlushSettings, 'retries' | 'worker'>,
  ) {}

  applied(records: number): void {
    const { metrics, clock } = this.deps;
    metrics.count('nonce_flush_records_total', { result: 'applied' }, records);
    const second = Math.floor(clock.monotonicMs() / 1_000);
    this.seconds.set(second, (this.seconds.get(second) ?? 0) + records);
    for (const known of this.seconds.keys()) {
      if (known <= second - RATE_SECONDS) this.seconds.delete(known);
    }
  }

  buried(reason: string): void {
    this.deps.metrics.count('nonce_flush_records_total', { result: 'buried' });
    this.deps.logger.error('an event cannot be applied and became a dead letter', { reason });
    this.deps.events.publish('flush.failed', { records: 1, reason });
  }

  /** One event was refused for what it is; it comes again. */
  async refused({ deliveries }: QueuedEvent, reason: string): Promise<void> {
    await this.failed(1, reason, deliveries === this.settings.retries + 1);
  }

  /** A store did not answer; everything comes again. */
  async outage(reason: string): Promise<void> {
    this.failures += 1;
    this.remember(false);
    await this.failed(0, reason, this.failures === this.settings.retries + 1);
  }

  /** A piece of work ended; single events may have been refused in it. */
  async succeeded(records: number): Promise<void> {
    const { metrics, events, clock } = this.deps;
    this.failures = 0;
    this.remember(true);
    this.lastSuccessMs = clock.nowMs();
    metrics.set('nonce_flush_last_success_timestamp_seconds', {}, this.lastSuccessMs / 1_000);
    if (records === 0) return;
    events.publish('flush.completed', { records });
    await this.note(null);
  }

  health(shards: number): FlushHealth {
    const now = Math.floor(this.deps.clock.monotonicMs() / 1_000);
    let recent = 0;
    for (const [second, records] of this.seconds) {
      if (second > now - RATE_SECONDS) recent += records;
    }
    return {
      lastSuccessAt: this.lastSuccessMs === null ? null : new Date(this.lastSuccessMs),
      lastFailureAt: this.lastFailureMs === null ? null : new Date(this.lastFailureMs),
      lastFailure: this.lastFailure,
      failures: this.failures,
      recordsPerSecond: recent / RATE_SECONDS,
      successPercent: this.successPercent(),
      shards,
    };
  }

  private remember(succeeded: boolean): void {
    this.pieces.push(succeeded);
    if (this.pieces.length > REMEMBERED_PIECES) this.pieces.shift();
  }

  private successPercent(): number | null {
    const { length } = this.pieces;
    if (length === 0) return null;
    return Math.round((100 * this.pieces.filter(Boolean).length) / length);
  }

  /** Somebody is told only of what was in vain several times. */
  private async failed(records: number, reason: string, isAlarming: boolean): Promise<void> {
    const { metrics, events, logger, clock } = this.deps;
    this.lastFailureMs = clock.nowMs();
    this.lastFailure = reason;
    metrics.count('nonce_flush_records_total', { result: 'failed' }, records);
    metrics.set('nonce_flush_last_failure_timestamp_seconds', {}, this.lastFailureMs / 1_000);
    if (isAlarming) {
      logger.error('flushing fails again and again', { records, reason });
      events.publish('flush.failed', { records, reason });
    } else {
      logger.warn('events could not be flushed; they come again', { records, reason });
    }
    await this.note(reason);
  }

  /** For other nodes to see; what it tells of matters more than telling it. */
  private async note(failure: string | null): Promise<void> {
    try {
      await this.deps.reports.note(this.settings.worker, failure);
    } catch (error) {
      this.deps.logger.debug('the result of a flush could not be noted', { error: String(error) });
    }
  }
}
