import type { QueuedEvent } from '../ports/flush-store.port';
import { applyBatch, reasonOf } from './apply-batch';
import type { FlushDeps, FlushSettings } from './flush-deps';
import { FlushRecord, type FlushHealth } from './flush-record';
import { ShardClaims } from './shard-claims';

/** Bound of one tick; the claims are renewed in between, and what is left the next one takes. */
const READS_PER_TICK = 500;
/** Between two looks at streams whose last events other workers have. */
const DRAIN_POLL_MS = 20;
/** While a barrier waits, deliveries that others left are taken over sooner. */
const DRAIN_SILENT_MS = 2_000;

/**
 * Brings events of the fast store to their rows: claim shards, take, apply in one transaction,
 * acknowledge.
 *
 * Guaranteed: an event leaves the queue only after its row is durable, or after it was kept as a
 * dead letter with its nonce in quarantine; one bad event holds up nobody else. A worker may die
 * anywhere. Not guaranteed: that an event is applied once; applying it again changes nothing.
 */
export class FlushEvents {
  private readonly claims: ShardClaims;
  private readonly record: FlushRecord;
  private readonly draining = new Map<number, Promise<number>>();

  constructor(
    private readonly deps: FlushDeps,
    private readonly settings: FlushSettings,
  ) {
    this.claims = new ShardClaims(deps, settings);
    this.record = new FlushRecord(deps, settings);
  }

  /** Flushes what this worker's shards hold. @returns how many events left the queue. */
  async tick(signal?: AbortSignal): Promise<number> {
    return this.recorded(async () => {
      const { silentMs } = this.settings;
      const shards = await this.claims.current();
      let total = await this.again(shards, silentMs);
      let next = this.take(shards);
      for (let read = 0; read < READS_PER_TICK; read += 1) {
        const taken = await next;
        if (taken.length === 0) break;
        // Read ahead while Postgres works. Not when this is the last: it would lie until it is due.
        const last = signal?.aborted === true || read === READS_PER_TICK - 1;
        next = last ? Promise.resolve([]) : this.claims.current().then((held) => this.take(held));
        next.catch(() => undefined);
        total += await this.work(taken);
      }
      return total;
    });
  }

  /**
   * Barrier: returns once nothing waits in these streams, whoever flushed it, or at the deadline.
   * @returns how many events still wait.
   */
  async drain(
    shards: readonly number[],
    { deadlineMs, signal }: { readonly deadlineMs: number; readonly signal?: AbortSignal },
  ): Promise<number> {
    const { clock, queue } = this.deps;
    const endMs = clock.monotonicMs() + deadlineMs;
    const silentMs = Math.min(DRAIN_SILENT_MS, this.settings.silentMs);
    for (;;) {
      const flushed = await this.flushOnce(shards, silentMs);
      const backlog = await queue.backlog(shards);
      const left = backlog.reduce((sum, { streamLength }) => sum + streamLength, 0);
      if (left === 0 || signal?.aborted === true || clock.monotonicMs() >= endMs) return left;
      if (flushed === 0) await clock.sleep(DRAIN_POLL_MS, signal);
    }
  }

  /**
   * For a caller whose shard's stream is full: empties it within the call, as far as other workers
   * do not have it in hand. Callers of one shard share one run.
   */
  async flushNow(shard: number): Promise<number> {
    const running = this.draining.get(shard);
    if (running !== undefined) return running;
    const run = this.flushOnce([shard], this.settings.silentMs).finally(() => {
      this.draining.delete(shard);
    });
    this.draining.set(shard, run);
    return run;
  }

  /**
   * For a process that ends: flushes as much as waits now, so that what it granted itself is among
   * it. What other processes add meanwhile, and what other workers took, is theirs.
   * @throws NonceError NONCE_STORE_UNAVAILABLE: it waits for the next worker.
   */
  async flushWaiting(shards: readonly number[], deadlineMs: number): Promise<void> {
    const { clock, queue } = this.deps;
    const endMs = clock.monotonicMs() + deadlineMs;
    const backlog = await queue.backlog(shards);
    let waiting = backlog.reduce((sum, { streamLength }) => sum + streamLength, 0);
    while (waiting > 0 && clock.monotonicMs() < endMs) {
      const taken = await this.take(shards);
      if (taken.length === 0) return;
      waiting -= taken.length;
      await this.recorded(() => this.work(taken));
    }
  }

  /** After the last tick: hands the shards over to other workers. */
  async stop(): Promise<void> {
    await this.claims.release();
  }

  health(): FlushHealth {
    return this.record.health(this.claims.held.length);
  }

  private flushOnce(shards: readonly number[], silentMs: number): Promise<number> {
    return this.recorded(async () => {
      let total = await this.again(shards, silentMs);
      for (let read = 0; read < READS_PER_TICK; read += 1) {
        const taken = await this.take(shards);
        if (taken.length === 0) break;
        total += await this.work(taken);
      }
      return total;
    });
  }

  private take(shards: readonly number[]): Promise<readonly QueuedEvent[]> {
    return this.deps.queue.take(shards, this.settings.batchMax);
  }

  private async again(shards: readonly number[], silentMs: number): Promise<number> {
    const { queue } = this.deps;
    return this.work(await queue.takeAgain(shards, this.settings.batchMax, silentMs));
  }

  private async recorded(work: () => Promise<number>): Promise<number> {
    try {
      const total = await work();
      await this.record.succeeded(total);
      return total;
    } catch (error) {
      await this.record.outage(reasonOf(error));
      throw error;
    }
  }

  /** @throws when a store does not answer; whatever was not acknowledged comes again. */
  private async work(taken: readonly QueuedEvent[]): Promise<number> {
    const { batchMax } = this.settings;
    const acknowledged: Promise<void>[] = [];
    let total = 0;
    let outage: Error | null = null;
    for (let from = 0; from < taken.length && outage === null; from += batchMax) {
      const outcome = await applyBatch(
        this.deps,
        this.settings,
        taken.slice(from, from + batchMax),
      );
      outage = outcome.unavailable;
      const done = [...outcome.applied];
      if (done.length > 0) this.record.applied(done.length);
      for (const { event, reason } of outcome.failed) {
        if (await this.buried(event, reason)) done.push(event);
      }
      total += done.length;
      if (done.length > 0) acknowledged.push(this.deps.queue.acknowledge(done));
      // One that fails early must not count as unhandled while the others are worked on.
      acknowledged.at(-1)?.catch(() => undefined);
    }
    await Promise.all(acknowledged);
    if (outage !== null) throw outage;
    return total;
  }

  /** @returns false when it is to come again. */
  private async buried(event: QueuedEvent, reason: string): Promise<boolean> {
    if (event.deliveries < this.settings.maxDeliveries) {
      await this.record.refused(event, reason);
      return false;
    }
    await this.deps.store.bury(event, reason, this.settings.quarantine);
    this.record.buried(reason);
    return true;
  }
}
