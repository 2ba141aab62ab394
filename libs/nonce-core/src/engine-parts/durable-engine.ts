import type { Hex } from '../domain/brand';
import type { EngineName } from '../domain/epoch';
import { isNonceError, NonceError } from '../domain/errors/nonce-error';
import type { HolderCommand } from '../domain/holder-command';
import { submitterParts, type Submitter } from '../domain/submitter';
import type { SubmitterView } from '../domain/submitter-view';
import type { AllocationStore, HolderRow } from '../ports/allocation-store.port';
import type { ChainRegistry } from '../ports/chain.port';
import type { Clock } from '../ports/clock.port';
import type {
  AllocateCommand,
  AllocationRef,
  CommandAnswer,
  Grant,
  NonceEngine,
} from '../ports/engine.port';
import type { SubmitterStore } from '../ports/submitter-store.port';
import type { TransactionHandle } from '../ports/transaction.port';
import { toAllocateRequest, type AllocateRequest } from './allocation-request';
import type { EngineObserver } from './engine-observer';
import { toHolderRow, type HolderWords } from './holder-request';

interface DurableEnginePorts {
  readonly store: Pick<AllocationStore, 'findById'>;
  readonly submitters: Pick<SubmitterStore, 'view'>;
  readonly chains: ChainRegistry;
  readonly clock: Clock;
}

interface DurableEngineOptions {
  /** Window of submitters on chains that set none. */
  readonly maxInFlight: number;
}

/**
 * What engines over Postgres have in common: how calls become rows and rows become answers. Who
 * grants a request and who obeys a command is each engine's own.
 */
export abstract class DurableEngine implements NonceEngine {
  abstract readonly name: EngineName;
  protected abstract readonly observer: EngineObserver;
  protected abstract readonly options: DurableEngineOptions;

  constructor(protected readonly ports: DurableEnginePorts) {}

  protected abstract grant(request: AllocateRequest): Promise<Grant>;
  protected abstract obey(
    row: HolderRow,
    ref: AllocationRef,
    handle: TransactionHandle | undefined,
  ): Promise<CommandAnswer>;

  /** Whose allocation it is, when this process remembers it. */
  protected abstract remembered(id: string): Submitter | undefined;

  async allocate(command: AllocateCommand): Promise<Grant> {
    const { clock, chains } = this.ports;
    const startedAtMs = clock.monotonicMs();
    const request = toAllocateRequest(command, chains);
    try {
      return await this.grant(request);
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

  /** As Postgres knows it: what a fast store granted since the last flush is not in it. */
  async inspect(submitter: Submitter): Promise<SubmitterView> {
    const chain = this.ports.chains.find(submitterParts(submitter).chainId);
    const window = chain?.profile.maxInFlight ?? this.options.maxInFlight;
    const view = await this.ports.submitters.view(submitter, window);
    if (view === null) throw new NonceError('NONCE_SUBMITTER_UNKNOWN', { context: { submitter } });
    return view;
  }

  /** The largest block that can ever be granted in a window of this size. */
  protected largestBlock(maxInFlight: number): number {
    return maxInFlight;
  }

  private async say(
    command: HolderCommand,
    ref: AllocationRef,
    { handle, ...words }: HolderWords & { readonly handle?: TransactionHandle | undefined },
  ): Promise<CommandAnswer> {
    const row: HolderRow = toHolderRow(command, ref, words);
    if (command !== 'used') return this.obey(row, ref, handle);
    return this.obey({ ...row, followable: await this.isFollowable(row) }, ref, handle);
  }

  /** A block larger than the whole window never fits, however long the caller waits. */
  private async explain(error: unknown, { submitter, count }: AllocateCommand): Promise<unknown> {
    if (count === 1 || !isNonceError(error, 'NONCE_IN_FLIGHT_LIMIT')) return error;
    const window = this.largestBlock((await this.inspect(submitter)).maxInFlight);
    if (count <= window) return error;
    const detail = `is more than the ${window} that may be in flight at once`;
    return new NonceError('NONCE_VALIDATION', { errors: [{ pointer: '/count', detail }] });
  }

  /** Only a configured chain can follow a hash; a bare id is looked up to learn its chain. */
  private async isFollowable(row: HolderRow): Promise<boolean> {
    const { chains, store } = this.ports;
    if (chains.all.length === 0) return false;
    const known = row.submitter ?? this.remembered(row.id);
    const submitter = known ?? (await store.findById(row.id))?.submitter;
    if (submitter === undefined) return false;
    return chains.find(submitterParts(submitter).chainId) !== undefined;
  }
}
