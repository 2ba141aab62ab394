import type { Allocation } from '../../domain/allocation';
import type { Submitter } from '../../domain/submitter';
import type { AllocateRequest } from '../../engine-parts/allocation-request';
import { DurableEngine } from '../../engine-parts/durable-engine';
import { EngineObserver } from '../../engine-parts/engine-observer';
import type { HolderRow } from '../../ports/allocation-store.port';
import type { AllocationRef, CommandAnswer, Grant } from '../../ports/engine.port';
import type { TransactionHandle } from '../../ports/transaction.port';
import { PerformanceParts } from './performance-parts';
import {
  PERFORMANCE_DEFAULTS,
  type PerformanceEngineOptions,
  type PrefetchOptions,
} from './performance-options';
import type { PerformanceEnginePorts } from './performance-ports';
import { newlyGranted } from './to-allocation';

/**
 * The engine that grants out of a fast store, within ranges that Postgres gave it.
 *
 * Guaranteed under `strict`: whatever the fast store answers, forgets or repeats, no two holders
 * write an intent for one nonce; what may be sent without an intent is durable before it is
 * answered. Guaranteed under `relaxed`: no two holders are answered with one nonce as long as the
 * fast store is one uninterrupted primary, and an interruption is noticed before the next grant.
 * Not guaranteed: that a granted nonce is used; its holder may learn at its intent that it is lost.
 */
export class PerformanceEngine extends DurableEngine {
  readonly name = 'performance';
  protected readonly options: PerformanceEngineOptions;
  protected readonly observer: EngineObserver;
  private readonly parts: PerformanceParts;

  constructor(
    protected override readonly ports: PerformanceEnginePorts,
    options: Partial<PerformanceEngineOptions> = {},
  ) {
    super(ports);
    this.options = Object.freeze({ ...PERFORMANCE_DEFAULTS, ...options });
    this.observer = new EngineObserver(this.name, ports.metrics, ports.events);
    this.parts = new PerformanceParts(ports, this.options, this.observer);
  }

  /**
   * Lets the fast store know of a pause, a window or a chain count that changed in Postgres, also of
   * submitters that this node never allocated for.
   */
  async refreshLimits(submitter: Submitter): Promise<void> {
    const { views, refills } = this.parts;
    const known = views.get(submitter);
    if (known !== undefined && (await refills.refresh(known)).kind !== 'gone') return;
    const ruling = await this.ports.epochs.ruling(submitter);
    if (ruling !== null) await refills.refresh(ruling);
  }

  /** As this node granted it lately; null when it did not, or was told since how it ended. */
  findGranted(id: string): Allocation | null {
    const grant = this.parts.grants.find(id);
    return grant === undefined ? null : newlyGranted(grant);
  }

  /** To be called about every second. Returns how many submitters were served. */
  loadFree(limit: number): Promise<number> {
    return this.parts.loadFree.run(limit);
  }

  /** Reservations past their deadline in the fast store. To be called about every second. */
  reclaimExpired(limit: number): Promise<number> {
    return this.ports.fast.reclaim(this.parts.views.all(), limit);
  }

  /** To be called several times per idle time. Returns how many epochs were closed. */
  closeIdle(): Promise<number> {
    return this.parts.idleClose.run(this.parts.refills.prefetched.idleCloseMs);
  }

  /** How often a caller of this node had to wait for fresh nonces. */
  get prefetchExhaustions(): number {
    return this.parts.refills.exhaustions;
  }

  /** To be called when the mode or a pin changed: what is not entitled is entered anew, if ever. */
  keepOnly(isEntitled: (submitter: Submitter) => boolean): void {
    this.parts.views.keepOnly(isEntitled);
  }

  /** Takes effect with the next refill. */
  tunePrefetch(prefetch: PrefetchOptions): void {
    this.parts.refills.tune(prefetch);
  }

  /** Answers what was accepted, refuses what comes now, and gives up at the deadline. */
  stop(deadlineMs: number): Promise<void> {
    return this.parts.stop(deadlineMs);
  }

  protected grant(request: AllocateRequest): Promise<Grant> {
    return this.parts.allocations.submit(request);
  }

  protected obey(
    row: HolderRow,
    { epoch }: AllocationRef,
    handle: TransactionHandle | undefined,
  ): Promise<CommandAnswer> {
    return handle === undefined
      ? this.parts.commands.submit(row, epoch)
      : this.parts.commands.submitWithin(handle, row, epoch);
  }

  /** Under relaxed half of the window stays free for what would be unknown after a loss. */
  protected override largestBlock(maxInFlight: number): number {
    return this.options.intents === 'relaxed'
      ? Math.max(1, Math.floor(maxInFlight / 2))
      : maxInFlight;
  }

  protected remembered(id: string): Submitter | undefined {
    return this.parts.grants.find(id)?.submitter;
  }
}
