import type { Clock } from '../../ports/clock.port';
import type { Logger } from '../../ports/logger.port';
import type { Metrics } from '../../ports/metrics.port';

export interface JobPlan {
  /** Stable: a label of metrics and the key in the scheduler's registry. */
  readonly name: string;
  readonly intervalMs: number;
  /** One bounded piece of work; stops early when the signal aborts. */
  run(signal: AbortSignal): Promise<unknown>;
  /** Has `wake` called when there is work before the interval is over; @returns what ends that. */
  wakes?(wake: () => void): () => void;
  /** Gives back what the job holds; after its last tick. */
  end?(): Promise<void>;
}

export interface JobObservers {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** A job that has not finished a tick for this long is reported as down, however short its interval. */
const OVERDUE_MIN_MS = 60_000;
const OVERDUE_INTERVALS = 10;

/**
 * Work that repeats. Ticks of one job never overlap: a tick that is due while the one before still
 * runs is left out. A failed tick is logged and counted, and the next one comes as if nothing had
 * happened; nothing is remembered between ticks, because all work is found by scanning rows.
 */
export class PeriodicJob {
  private running: Promise<void> | null = null;
  private readonly ending = new AbortController();
  private finishedAtMs: number;
  private failure: string | null = null;
  private wokenMeanwhile = false;

  constructor(
    readonly plan: JobPlan,
    private readonly observers: JobObservers,
  ) {
    this.finishedAtMs = observers.clock.monotonicMs();
  }

  /** Never rejects. */
  tick(): Promise<void> {
    if (this.ending.signal.aborted) return Promise.resolve();
    this.running ??= this.work().finally(() => {
      this.running = null;
      if (this.wokenMeanwhile) this.wake();
    });
    return this.running;
  }

  /** Ticks now, or once more when the tick that runs has ended: it may have looked too early. */
  wake(): void {
    this.wokenMeanwhile = this.running !== null;
    void this.tick();
  }

  /** Takes no more work; resolves when the tick that runs has ended. */
  async drain(): Promise<void> {
    this.ending.abort();
    await this.running;
    try {
      await this.plan.end?.();
    } catch (error) {
      const { name: job } = this.plan;
      this.observers.logger.warn('a periodic job could not end well', {
        job,
        reason: String(error),
      });
    }
  }

  /** Up while ticks end in time, also with a failure: that is then told beside it. */
  health(): { readonly up: boolean; readonly sinceLastTickMs: number; readonly failure?: string } {
    const sinceLastTickMs = Math.round(this.observers.clock.monotonicMs() - this.finishedAtMs);
    const overdueMs = Math.max(OVERDUE_MIN_MS, OVERDUE_INTERVALS * this.plan.intervalMs);
    const up = sinceLastTickMs <= overdueMs;
    return { up, sinceLastTickMs, ...(this.failure === null ? {} : { failure: this.failure }) };
  }

  private async work(): Promise<void> {
    const { clock, metrics, logger } = this.observers;
    const job = this.plan.name;
    try {
      await this.plan.run(this.ending.signal);
      if (this.failure !== null) logger.info('a periodic job works again', { job });
      this.failure = null;
      metrics.count('nonce_worker_ticks_total', { job, result: 'done' });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      metrics.count('nonce_worker_ticks_total', { job, result: 'failed' });
      // Said once: a store that is away for an hour fails several jobs many times a second.
      if (reason !== this.failure) logger.error('a periodic job failed', { job, reason });
      this.failure = reason;
    }
    this.finishedAtMs = clock.monotonicMs();
    metrics.set('nonce_worker_last_tick_timestamp_seconds', { job }, clock.nowMs() / 1_000);
  }
}
