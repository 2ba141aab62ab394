import type { Allocation } from '../domain/allocation';
import { NonceError } from '../domain/errors/nonce-error';
import type { Hex } from '../domain/brand';
import { decideHolderCommand, type HolderCommand } from '../domain/holder-command';
import type { QuarantinePolicy } from '../domain/quarantine-policy';
import { submitterParts, type Submitter } from '../domain/submitter';
import type { SubmitterView } from '../domain/submitter-view';
import { toAllocateRequest } from '../engine-parts/allocation-request';
import { toHolderRow, type HolderWords } from '../engine-parts/holder-request';
import type { HolderRow } from '../ports/allocation-store.port';
import type { BaselineSource } from '../ports/baseline.port';
import type { ChainRegistry } from '../ports/chain.port';
import type { Clock } from '../ports/clock.port';
import type {
  AllocateCommand,
  AllocationRef,
  CommandAnswer,
  Grant,
  NonceEngine,
} from '../ports/engine.port';
import { InMemoryQueue, releaseTime } from './in-memory-queue';
import { moveRow, snapshot, type InMemoryRow } from './in-memory-row';
import { viewQueue } from './in-memory-view';

export interface InMemoryEngineOptions {
  /** Time that decides deadlines: give a FakeClock to move it. */
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly chains: ChainRegistry;
  readonly baseline: BaselineSource;
  readonly maxInFlight: number;
  readonly quarantine: QuarantinePolicy;
}

const NO_CHAINS: ChainRegistry = { find: () => undefined, all: [] };

const DEFAULTS: Omit<InMemoryEngineOptions, 'baseline'> = {
  clock: { nowMs: () => Date.now() },
  chains: NO_CHAINS,
  maxInFlight: 64,
  quarantine: { ms: 30_000, release: 'replacement' },
};

/**
 * The whole engine in one process and without stores, for tests of code that uses nonces. It takes
 * every decision from the domain's tables and passes the same contract suite as the real engines.
 * Not guaranteed: anything after the process ends.
 */
export class InMemoryNonceEngine implements NonceEngine {
  readonly name = 'reliable';
  private readonly options: InMemoryEngineOptions;
  private readonly queues = new Map<Submitter, InMemoryQueue>();

  constructor(options: Partial<InMemoryEngineOptions> = {}) {
    const withoutBaseline = { ...DEFAULTS, ...options };
    const { quarantine } = withoutBaseline;
    this.options = { baseline: startingAtZero(quarantine), ...withoutBaseline };
  }

  async allocate(command: AllocateCommand): Promise<Grant> {
    const { clock, chains, maxInFlight, quarantine } = this.options;
    const { row, startNonce } = toAllocateRequest(command, chains);
    const { submitter } = command;
    const baseline = this.queues.has(submitter)
      ? undefined
      : await this.options.baseline.resolve(submitter, startNonce);
    const queue = this.queues.get(submitter) ?? this.open(submitter, baseline);
    const nowMs = clock.nowMs();
    const window = row.maxInFlight ?? maxInFlight;
    queue.reclaim(nowMs, quarantine);
    const answer = queue.allocate(row, window, nowMs);
    if (answer.kind === 'granted') return answer;
    if (answer.kind !== 'refused') throw new NonceError('NONCE_INTERNAL');
    const inFlight = queue.windowOf(window);
    if (answer.code !== 'NONCE_IN_FLIGHT_LIMIT' || command.count <= inFlight) {
      throw new NonceError(answer.code, { context: answer.context });
    }
    const detail = `is more than the ${inFlight} that may be in flight at once`;
    throw new NonceError('NONCE_VALIDATION', { errors: [{ pointer: '/count', detail }] });
  }

  intent(ref: AllocationRef, tx: { txHash: Hex; rawTx?: Hex }): Promise<CommandAnswer> {
    return this.command('intent', ref, tx);
  }

  markSubmitted(ref: AllocationRef, tx: { txHash: Hex }): Promise<CommandAnswer> {
    return this.command('submitted', ref, tx);
  }

  markUsed(ref: AllocationRef, tx: { txHash?: Hex }): Promise<CommandAnswer> {
    return this.command('used', ref, tx);
  }

  markRecyclable(ref: AllocationRef, why: { reason: string }): Promise<CommandAnswer> {
    return this.command('recyclable', ref, { note: why.reason });
  }

  quarantine(ref: AllocationRef, why: { reason: string }): Promise<CommandAnswer> {
    return this.command('quarantine', ref, { note: why.reason });
  }

  keepReserved(ref: AllocationRef, keep: { note: string; ttlMs: number }): Promise<CommandAnswer> {
    return this.command('keep', ref, keep);
  }

  heartbeat(ref: AllocationRef, beat: { ttlMs: number }): Promise<CommandAnswer> {
    return this.command('heartbeat', ref, beat);
  }

  async inspect(submitter: Submitter): Promise<SubmitterView> {
    const window = this.chainOf(submitter)?.profile.maxInFlight ?? this.options.maxInFlight;
    return viewQueue(this.queueOf(submitter), window, this.options.clock.nowMs());
  }

  /** Every nonce of the submitter, lowest first; for assertions. */
  rows(submitter: Submitter): readonly InMemoryRow[] {
    return [...this.queueOf(submitter).rows.values()].sort((a, b) => a.nonce - b.nonce);
  }

  async findById(id: string): Promise<Allocation | null> {
    for (const { rowsById } of this.queues.values()) {
      const row = rowsById.get(id.toLowerCase());
      if (row !== undefined) return snapshot(row);
    }
    return null;
  }

  /** @throws NonceError NONCE_SUBMITTER_UNKNOWN. */
  queueOf(submitter: Submitter): InMemoryQueue {
    const queue = this.queues.get(submitter);
    if (queue === undefined) {
      throw new NonceError('NONCE_SUBMITTER_UNKNOWN', { context: { submitter } });
    }
    return queue;
  }

  private open(
    submitter: Submitter,
    baseline: Awaited<ReturnType<BaselineSource['resolve']>> | undefined,
  ): InMemoryQueue {
    if (baseline === undefined) throw new NonceError('NONCE_INTERNAL');
    const queue = new InMemoryQueue(submitter, baseline, this.options.clock.nowMs());
    this.queues.set(submitter, queue);
    return queue;
  }

  private async command(
    command: HolderCommand,
    ref: AllocationRef,
    words: HolderWords,
  ): Promise<CommandAnswer> {
    const request = toHolderRow(command, ref, words);
    const [queue, row] = this.find(request);
    const hashKnown = request.txHash !== null && row.hashes.includes(request.txHash);
    const wouldAdopt = request.txHash !== null && ['REUSABLE', 'QUARANTINED'].includes(row.stage);
    if (wouldAdopt && queue.isBoundElsewhere(row)) throw refusal('NONCE_FENCED', row);
    const verdict = decideHolderCommand(command, {
      stage: row.stage,
      hasHash: request.txHash !== null,
      hashKnown,
      anyHash: row.hashes.length > row.inheritedHashes,
      followable: this.chainOf(row.submitter) !== undefined,
      replacement: row.source === 'replacement' || row.shared,
    });
    if (verdict.kind === 'refuse') throw refusal(verdict.code, row);
    if (verdict.kind === 'same') return { allocation: snapshot(row), changed: false };
    const nowMs = this.options.clock.nowMs();
    if (verdict.kind === 'move') moveRow(row, verdict.to, nowMs);
    this.write(row, request, nowMs);
    return { allocation: snapshot(row), changed: true };
  }

  private write(row: InMemoryRow, request: HolderRow, nowMs: number): void {
    row.updatedAtMs = nowMs;
    row.note = request.note ?? row.note;
    if (request.txHash !== null) {
      row.txHash = request.txHash;
      if (!row.hashes.includes(request.txHash)) row.hashes = [...row.hashes, request.txHash];
    }
    if (row.stage === 'GRANTED') row.deadlineMs = nowMs + request.ttlMs;
    if (row.stage === 'QUARANTINED') row.releaseAtMs = releaseTime(this.options.quarantine, nowMs);
  }

  private find(request: HolderRow): [InMemoryQueue, InMemoryRow] {
    for (const queue of this.queues.values()) {
      const row = queue.rowsById.get(request.id);
      if (row !== undefined) return [queue, row];
      if (queue.ended.has(request.id)) throw new NonceError('NONCE_FENCED');
    }
    const { submitter, nonce } = request;
    const named = submitter === null ? undefined : this.queues.get(submitter);
    const isOthers = nonce !== null && named?.rows.has(nonce) === true;
    throw new NonceError(isOthers ? 'NONCE_FENCED' : 'NONCE_ALLOCATION_UNKNOWN');
  }

  private chainOf(submitter: Submitter): ReturnType<ChainRegistry['find']> {
    return this.options.chains.find(submitterParts(submitter).chainId);
  }
}

function refusal(code: NonceError['code'], row: InMemoryRow): NonceError {
  const { nonce, stage, txHash, id } = row;
  return new NonceError(code, { context: { allocationId: id, nonce, stage, txHash } });
}

function startingAtZero(quarantine: QuarantinePolicy): BaselineSource {
  return {
    resolve: async (submitter, startNonce) => ({
      submitter,
      startNonce: startNonce ?? (0 as NonNullable<typeof startNonce>),
      pendingCount: 0,
      chainLatestCount: null,
      chainFinalizedCount: null,
      genesisHash: null,
      quarantine,
    }),
  };
}
