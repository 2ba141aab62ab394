import type { Allocation } from '../../domain/allocation';
import type { Hex } from '../../domain/brand';
import { isNonceError, NonceError } from '../../domain/errors/nonce-error';
import type { HolderCommand } from '../../domain/holder-command';
import { submitterParts, type Submitter } from '../../domain/submitter';
import type { SubmitterView } from '../../domain/submitter-view';
import { toAllocateRequest } from '../../engine-parts/allocation-request';
import { EngineObserver } from '../../engine-parts/engine-observer';
import { toHolderRow, type HolderWords } from '../../engine-parts/holder-request';
import type { HolderRow } from '../../ports/allocation-store.port';
import type {
  AllocateCommand,
  AllocationRef,
  CommandAnswer,
  Grant,
  NonceEngine,
} from '../../ports/engine.port';
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
export class PerformanceEngine implements NonceEngine {
  readonly name = 'performance';
  private readonly options: PerformanceEngineOptions;
  private readonly observer: EngineObserver;
  private readonly parts: PerformanceParts;

  constructor(
    private readonly ports: PerformanceEnginePorts,
    options: Partial<PerformanceEngineOptions> = {},
  ) {
    this.options = Object.freeze({ ...PERFORMANCE_DEFAULTS, ...options });
    this.observer = new EngineObserver(this.name, ports.metrics, ports.events);
    this.parts = new PerformanceParts(ports, this.options, this.observer);
  }

  async allocate(command: AllocateCommand): Promise<Grant> {
    const { clock, chains } = this.ports;
    const startedAtMs = clock.monotonicMs();
    const request = toAllocateRequest(command, chains);
    try {
      return await this.parts.allocations.submit(request);
    } catch (error) {
      throw await this.explain(error, command);
    } finally {
      this.observer.allocateEnded(startedAtMs, clock.monotonicMs());
    }
  }

  intent(ref: AllocationRef, tx: { txHash: Hex; rawTx?: Hex }): Promise<CommandAnswer> {
    return this.say('intent', ref, tx);
  }

  markSubmitted(
    ref: AllocationRef,
    tx: { txHash: Hex },
    handle?: TransactionHandle,
  ): Promise<CommandAnswer> {
    return this.say('submitted', ref, { ...tx, handle });
  }

  markUsed(
    ref: AllocationRef,
    tx: { txHash?: Hex },
    handle?: TransactionHandle,
  ): Promise<CommandAnswer> {
    return this.say('used', ref, { ...tx, handle });
  }

  markRecyclable(ref: AllocationRef, why: { reason: string }): Promise<CommandAnswer> {
    return this.say('recyclable', ref, { note: why.reason });
  }

  quarantine(ref: AllocationRef, why: { reason: string }): Promise<CommandAnswer> {
    return this.say('quarantine', ref, { note: why.reason });
  }

  keepReserved(ref: AllocationRef, keep: { note: string; ttlMs: number }): Promise<CommandAnswer> {
    return this.say('keep', ref, keep);
  }

  heartbeat(ref: AllocationRef, beat: { ttlMs: number }): Promise<CommandAnswer> {
    return this.say('heartbeat', ref, beat);
  }

  /** As Postgres knows it: what the fast store granted since the last flush is not in it. */
  async inspect(submitter: Submitter): Promise<SubmitterView> {
    const view = await this.ports.submitters.view(submitter, this.windowOf(submitter));
    if (view === null) throw new NonceError('NONCE_SUBMITTER_UNKNOWN', { context: { submitter } });
    return view;
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

  private async say(
    command: HolderCommand,
    ref: AllocationRef,
    { handle, ...words }: HolderWords & { readonly handle?: TransactionHandle | undefined },
  ): Promise<CommandAnswer> {
    let row: HolderRow = toHolderRow(command, ref, words);
    if (command === 'used') row = { ...row, followable: await this.isFollowable(row) };
    return handle === undefined
      ? this.parts.commands.submit(row, ref.epoch)
      : this.parts.commands.submitWithin(handle, row, ref.epoch);
  }

  /** A block larger than the whole window never fits, however long the caller waits. */
  private async explain(error: unknown, { submitter, count }: AllocateCommand): Promise<unknown> {
    if (count === 1 || !isNonceError(error, 'NONCE_IN_FLIGHT_LIMIT')) return error;
    const { maxInFlight } = await this.inspect(submitter);
    // Under relaxed half of the window stays free for what would be unknown after a loss.
    const window =
      this.options.intents === 'relaxed' ? Math.max(1, Math.floor(maxInFlight / 2)) : maxInFlight;
    if (count <= window) return error;
    const detail = `is more than the ${window} that may be in flight at once`;
    return new NonceError('NONCE_VALIDATION', { errors: [{ pointer: '/count', detail }] });
  }

  /** Only a configured chain can follow a hash; a bare id is looked up to learn its chain. */
  private async isFollowable(row: HolderRow): Promise<boolean> {
    const { chains, store } = this.ports;
    if (chains.all.length === 0) return false;
    const known = row.submitter ?? this.parts.grants.find(row.id)?.submitter;
    const submitter = known ?? (await store.findById(row.id))?.submitter;
    if (submitter === undefined) return false;
    return chains.find(submitterParts(submitter).chainId) !== undefined;
  }

  private windowOf(submitter: Submitter): number {
    const chain = this.ports.chains.find(submitterParts(submitter).chainId);
    return chain?.profile.maxInFlight ?? this.options.maxInFlight;
  }
}
