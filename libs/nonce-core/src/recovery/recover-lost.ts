import { isNonceError } from '../domain/errors/nonce-error';
import { toNonce } from '../domain/nonce';
import type { QuarantinePolicy } from '../domain/quarantine-policy';
import type { Submitter } from '../domain/submitter';
import type { ServerStart, Witness } from '../domain/witness';
import type { AllocationStore, SubmitterBaseline } from '../ports/allocation-store.port';
import type { BaselineSource } from '../ports/baseline.port';
import type { ContinuityStore, RecoveredState } from '../ports/continuity-store.port';
import type { EventSink } from '../ports/events.port';
import type { Logger } from '../ports/logger.port';
import { judgeComparison, type Loss } from './decide-continuity';

export interface RecoverLostDeps {
  readonly store: ContinuityStore;
  /** Opens submitters that only the witnesses know. */
  readonly allocations: Pick<AllocationStore, 'open'>;
  readonly baselines: BaselineSource;
  readonly events: EventSink;
  readonly logger: Logger;
  readonly quarantine: QuarantinePolicy;
}

/** Submitters compared, and recovered, by one statement: each ends far before its time limit. */
const COMPARED_AT_ONCE = 500;
const RECOVERED_AT_ONCE = 25;

export const WHY_BEHIND = 'the database is behind its witness';

/**
 * Compares the witnesses with the database and recovers the submitters whose grants it may have
 * forgotten. Repeating it, or doing it on several nodes at once, changes nothing more (K11).
 */
export class RecoverLost {
  constructor(private readonly deps: RecoverLostDeps) {}

  /** @returns the recovered submitters as they are now. */
  async recover(
    server: ServerStart,
    witnesses: readonly Witness[],
    loss: Loss | null,
  ): Promise<readonly RecoveredState[]> {
    const recovered: RecoveredState[] = [];
    for (const some of inGroups(witnesses, COMPARED_AT_ONCE)) {
      const { unknown, behind } = judgeComparison(await this.deps.store.compare(some));
      for (const witness of unknown) await this.open(witness.submitter);
      const wanted = loss === null ? [...unknown, ...behind] : some;
      recovered.push(...(await this.take(server, wanted, loss)));
    }
    return recovered;
  }

  /** Goes on with recoveries that were cut off, whoever began them. */
  async continueCutOff(server: ServerStart, submitters: readonly Submitter[]): Promise<void> {
    const nothingNew = submitters.map((submitter) => ({ submitter, epoch: 0, ceiling: 0 }));
    await this.take(server, nothingNew as unknown as readonly Witness[], null);
  }

  private async take(
    server: ServerStart,
    witnesses: readonly Witness[],
    loss: Loss | null,
  ): Promise<readonly RecoveredState[]> {
    const { store, quarantine } = this.deps;
    const reason = loss?.reason ?? WHY_BEHIND;
    const done: RecoveredState[] = [];
    for (const some of inGroups(witnesses, RECOVERED_AT_ONCE)) {
      let left: readonly Witness[] = some;
      while (left.length > 0) {
        const lostAt = loss?.lostAt ?? null;
        const states = await store.recover({ server, witnesses: left, lostAt, reason, quarantine });
        for (const state of states) this.announce(state, reason);
        done.push(...states.filter((state) => state.finished));
        const unfinished = new Set(states.filter((s) => !s.finished).map((s) => s.submitter));
        left = left.filter(({ submitter }) => unfinished.has(submitter));
      }
    }
    return done;
  }

  /**
   * The submitter was first used after the state to which the database was put back. Where the chain
   * says nothing of it, everything from 0 may have been used.
   */
  private async open(submitter: Submitter): Promise<void> {
    const { allocations, baselines, quarantine } = this.deps;
    let baseline: Omit<SubmitterBaseline, 'engine'>;
    try {
      baseline = await baselines.resolve(submitter);
    } catch (error) {
      if (!isNonceError(error, 'NONCE_CHAIN_UNKNOWN')) throw error;
      const start = toNonce(0);
      const unknown = { chainLatestCount: null, chainFinalizedCount: null, genesisHash: null };
      baseline = { submitter, startNonce: start, pendingCount: start, ...unknown, quarantine };
    }
    await allocations.open({ ...baseline, engine: 'reliable' });
  }

  private announce(state: RecoveredState, reason: string): void {
    if (!state.entered) return;
    const { submitter, epoch, ceiling } = state;
    this.deps.events.publish('recovery.entered', { submitter, reason });
    this.deps.logger.warn('submitter in recovery', { submitter, epoch, ceiling, reason });
  }
}

function* inGroups<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}
