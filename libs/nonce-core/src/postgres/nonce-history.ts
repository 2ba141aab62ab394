import type { Allocation } from '../domain/allocation';
import type { AllocationStage } from '../domain/allocation-state';
import type { NonceHistoryEntry } from '../ports/submitter-store.port';

/** A grant that ended with another grant of the same nonce. */
export interface GrantRow {
  readonly id: string;
  readonly ended_stage: AllocationStage;
  readonly note: string | null;
  readonly granted_ms: number;
  readonly ended_ms: number;
}

/**
 * What happened to a nonce, oldest first: each grant, how it ended, and where the nonce is now. The
 * stages a grant passed through in between are not kept.
 */
export function toHistory(
  grants: readonly GrantRow[],
  current: Allocation,
  wasGranted: boolean,
): readonly NonceHistoryEntry[] {
  const past = grants.flatMap((grant): NonceHistoryEntry[] => [
    granted(grant.id, new Date(grant.granted_ms)),
    {
      allocationId: grant.id,
      stage: grant.ended_stage,
      cause: grant.note ?? 'granted anew',
      at: new Date(grant.ended_ms),
    },
  ]);
  const start = wasGranted ? [granted(current.id, current.createdAt)] : [];
  const now: NonceHistoryEntry = {
    allocationId: current.id,
    stage: current.stage,
    cause: current.note ?? causeOf(current),
    at: current.updatedAt,
  };
  return [...past, ...start, ...(wasGranted && current.stage === 'GRANTED' ? [] : [now])];
}

function granted(allocationId: string, at: Date): NonceHistoryEntry {
  return { allocationId, stage: 'GRANTED', cause: 'granted', at };
}

function causeOf(allocation: Allocation): string {
  return allocation.proof === null ? 'reported or observed' : `proven by ${allocation.proof}`;
}
