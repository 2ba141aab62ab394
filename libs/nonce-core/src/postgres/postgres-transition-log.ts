import type { AllocationStage } from '../domain/allocation-state';
import type { Hex } from '../domain/brand';
import type {
  TrackedTransition,
  TransitionLog,
  TransitionPlace,
} from '../ports/transition-log.port';
import type { StatementParameters } from './generated/sql';
import type { StatementRunner } from './statement-runner';

interface TransitionRow {
  readonly horizon: string;
  /** null in a row that only tells the place; then all that follows is null. */
  readonly written_by: string | null;
  readonly id: string;
  readonly allocation_id: string;
  readonly submitter: string;
  readonly nonce: string;
  readonly from_stage: AllocationStage;
  readonly to_stage: AllocationStage;
  readonly stuck: boolean;
  readonly tx_hash: Hex | null;
  readonly block_number: string | null;
  readonly reason: string;
}

const READ_MAX = 1_000;
const PRUNED_MAX = 5_000;

/** Moves of nonces as rows, in the order of their transactions. */
export class PostgresTransitionLog implements TransitionLog {
  constructor(private readonly runner: StatementRunner) {}

  async after(place: TransitionPlace | null): ReturnType<TransitionLog['after']> {
    const rows = await this.runner.run<TransitionRow, StatementParameters['transitionsAfter']>(
      this.runner.statements.transitionsAfter,
      { writtenBy: place?.writtenBy ?? null, id: place?.id ?? 0, rowLimit: READ_MAX },
    );
    const horizon = { writtenBy: rows[0]?.horizon ?? '0', id: 0 };
    const found = rows.filter((row) => row.written_by !== null);
    const last = found.at(-1);
    if (last?.written_by != null) {
      const behind = { writtenBy: last.written_by, id: Number(last.id) };
      return { transitions: found.map(toTransition), place: behind };
    }
    // A database that was put back counts on from an older transaction: what it writes now is new.
    const isAhead = place !== null && BigInt(place.writtenBy) > BigInt(horizon.writtenBy);
    return { transitions: [], place: place === null || isAhead ? horizon : place };
  }

  async prune(olderThanMs: number): Promise<boolean> {
    const rows = await this.runner.run<object, StatementParameters['pruneTransitions']>(
      this.runner.statements.pruneTransitions,
      { olderThanMs, rowLimit: PRUNED_MAX },
    );
    return rows.length === PRUNED_MAX;
  }
}

function toTransition(row: TransitionRow): TrackedTransition {
  return {
    submitter: row.submitter,
    nonce: Number(row.nonce),
    allocationId: row.allocation_id,
    from: row.from_stage,
    to: row.to_stage,
    stuck: row.stuck,
    txHash: row.tx_hash,
    blockNumber: row.block_number === null ? null : Number(row.block_number),
    reason: row.reason,
  };
}
