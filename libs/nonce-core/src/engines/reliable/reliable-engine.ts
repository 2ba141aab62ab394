import type { Hex } from '../../domain/brand';
import { isNonceError, NonceError } from '../../domain/errors/nonce-error';
import type { HolderCommand } from '../../domain/holder-command';
import { submitterParts, type Submitter } from '../../domain/submitter';
import type { SubmitterView } from '../../domain/submitter-view';
import type { AllocationStore, HolderRow } from '../../ports/allocation-store.port';
import type { BaselineSource } from '../../ports/baseline.port';
import type { ChainRegistry } from '../../ports/chain.port';
import type { Clock } from '../../ports/clock.port';
import type {
  AllocateCommand,
  AllocationRef,
  CommandAnswer,
  Grant,
  NonceEngine,
} from '../../ports/engine.port';
import type { EventSink } from '../../ports/events.port';
import type { LockCoordinator } from '../../ports/lock.port';
import type { Metrics } from '../../ports/metrics.port';
import type { SubmitterStore } from '../../ports/submitter-store.port';
import type { TakeOver } from '../../ports/take-over.port';
import type { TransactionHandle } from '../../ports/transaction.port';
import { AllocationDesk } from './allocation-desk';
import { toAllocateRequest } from '../../engine-parts/allocation-request';
import { CommandDesk } from '../../engine-parts/command-desk';
import { EngineObserver } from '../../engine-parts/engine-observer';
import { toHolderRow, type HolderWords } from '../../engine-parts/holder-request';
import { RELIABLE_DEFAULTS, type ReliableEngineOptions } from './reliable-options';

export interface ReliableEnginePorts {
  readonly store: AllocationStore;
  readonly submitters: Pick<SubmitterStore, 'view'>;
  readonly baseline: BaselineSource;
  readonly chains: ChainRegistry;
  readonly locks: LockCoordinator;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly events: EventSink;
  /** Absent where no other engine issues: then a submitter of one is refused. */
  readonly takeOver?: TakeOver;
}

/**
 * The engine whose only authority is Postgres: every grant and every command is decided there, row
 * by row, before it is answered.
 *
 * Guaranteed: an answered grant or command is durable; a call whose reply was lost is repeated with
 * the same owner token. Not guaranteed: that a call which failed with NONCE_STORE_UNAVAILABLE did
 * nothing; its operationId, or its allocation id, leads back to what it did.
 */
export class ReliableEngine implements NonceEngine {
  readonly name = 'reliable';
  private readonly options: ReliableEngineOptions;
  private readonly observer: EngineObserver;
  private readonly allocations: AllocationDesk;
  private readonly commands: CommandDesk;

  constructor(
    private readonly ports: ReliableEnginePorts,
    options: Partial<ReliableEngineOptions> = {},
  ) {
    this.options = Object.freeze({ ...RELIABLE_DEFAULTS, ...options });
    this.observer = new EngineObserver(this.name, ports.metrics, ports.events);
    const { maxCommandBatch, ...shared } = this.options;
    this.allocations = new AllocationDesk(ports, shared, this.observer);
    this.commands = new CommandDesk(ports, { ...shared, maxBatch: maxCommandBatch }, this.observer);
  }

  async allocate(command: AllocateCommand): Promise<Grant> {
    const { clock, chains } = this.ports;
    const startedAtMs = clock.monotonicMs();
    const request = toAllocateRequest(command, chains);
    try {
      return await this.allocations.submit(request);
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

  async inspect(submitter: Submitter): Promise<SubmitterView> {
    const view = await this.ports.submitters.view(submitter, this.windowOf(submitter));
    if (view === null) throw new NonceError('NONCE_SUBMITTER_UNKNOWN', { context: { submitter } });
    return view;
  }

  /** Answers what was accepted, refuses what comes now, and gives up at the deadline. */
  async stop(deadlineMs: number): Promise<void> {
    await Promise.all([this.allocations.stop(deadlineMs), this.commands.stop(deadlineMs)]);
  }

  private async say(
    command: HolderCommand,
    ref: AllocationRef,
    { handle, ...words }: HolderWords & { readonly handle?: TransactionHandle | undefined },
  ): Promise<CommandAnswer> {
    let row: HolderRow = toHolderRow(command, ref, words);
    if (command === 'used') row = { ...row, followable: await this.isFollowable(row) };
    return handle === undefined
      ? this.commands.submit(row)
      : this.commands.submitWithin(handle, row);
  }

  /** A block larger than the whole window never fits, however long the caller waits. */
  private async explain(error: unknown, { submitter, count }: AllocateCommand): Promise<unknown> {
    if (count === 1 || !isNonceError(error, 'NONCE_IN_FLIGHT_LIMIT')) return error;
    const { maxInFlight } = await this.inspect(submitter);
    if (count <= maxInFlight) return error;
    const detail = `is more than the ${maxInFlight} that may be in flight at once`;
    return new NonceError('NONCE_VALIDATION', { errors: [{ pointer: '/count', detail }] });
  }

  /** Only a configured chain can follow a hash; a bare id is looked up to learn its chain. */
  private async isFollowable(row: HolderRow): Promise<boolean> {
    const { chains, store } = this.ports;
    if (chains.all.length === 0) return false;
    const submitter = row.submitter ?? (await store.findById(row.id))?.submitter;
    if (submitter === undefined) return false;
    return chains.find(submitterParts(submitter).chainId) !== undefined;
  }

  private windowOf(submitter: Submitter): number {
    const chain = this.ports.chains.find(submitterParts(submitter).chainId);
    return chain?.profile.maxInFlight ?? this.options.maxInFlight;
  }
}
