import type { AllocateRequest } from '../../engine-parts/allocation-request';
import { CommandDesk } from '../../engine-parts/command-desk';
import { DurableEngine } from '../../engine-parts/durable-engine';
import { EngineObserver } from '../../engine-parts/engine-observer';
import type { AllocationStore, HolderRow } from '../../ports/allocation-store.port';
import type { BaselineSource } from '../../ports/baseline.port';
import type { ChainRegistry } from '../../ports/chain.port';
import type { Clock } from '../../ports/clock.port';
import type { AllocationRef, CommandAnswer, Grant } from '../../ports/engine.port';
import type { EventSink } from '../../ports/events.port';
import type { LockCoordinator } from '../../ports/lock.port';
import type { Metrics } from '../../ports/metrics.port';
import type { SubmitterStore } from '../../ports/submitter-store.port';
import type { TakeOver } from '../../ports/take-over.port';
import type { TransactionHandle } from '../../ports/transaction.port';
import { AllocationDesk } from './allocation-desk';
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
export class ReliableEngine extends DurableEngine {
  readonly name = 'reliable';
  protected readonly options: ReliableEngineOptions;
  protected readonly observer: EngineObserver;
  private readonly allocations: AllocationDesk;
  private readonly commands: CommandDesk;

  constructor(
    protected override readonly ports: ReliableEnginePorts,
    options: Partial<ReliableEngineOptions> = {},
  ) {
    super(ports);
    this.options = Object.freeze({ ...RELIABLE_DEFAULTS, ...options });
    this.observer = new EngineObserver(this.name, ports.metrics, ports.events);
    const { maxCommandBatch, ...shared } = this.options;
    this.allocations = new AllocationDesk(ports, shared, this.observer);
    this.commands = new CommandDesk(ports, { ...shared, maxBatch: maxCommandBatch }, this.observer);
  }

  /** Answers what was accepted, refuses what comes now, and gives up at the deadline. */
  async stop(deadlineMs: number): Promise<void> {
    await Promise.all([this.allocations.stop(deadlineMs), this.commands.stop(deadlineMs)]);
  }

  protected grant(request: AllocateRequest): Promise<Grant> {
    return this.allocations.submit(request);
  }

  protected obey(
    row: HolderRow,
    _ref: AllocationRef,
    handle: TransactionHandle | undefined,
  ): Promise<CommandAnswer> {
    return handle === undefined
      ? this.commands.submit(row)
      : this.commands.submitWithin(handle, row);
  }

  protected remembered(): undefined {
    return undefined;
  }
}
