import type { Allocation } from '../domain/allocation';
import { OUTPACED } from '../domain/errors/outpaced';
import type { AllocateAnswer } from '../ports/allocation-store.port';
import { isContiguous } from './allocate-answers';
import { toAllocation, type AllocationRow } from './allocation-row';
import type { StatementRunner } from './statement-runner';

/** Allocations by owner token as they stand now; a token whose nonce was granted anew is absent. */
export async function readAllocations(
  runner: StatementRunner,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Allocation>> {
  const found = new Map<string, Allocation>();
  if (ids.length === 0) return found;
  const rows = await runner.run<AllocationRow, { ids: readonly string[] }>(
    runner.statements.findAllocations,
    { ids },
  );
  for (const row of rows) found.set(row.id, toAllocation(row));
  return found;
}

/**
 * The bound allocations as they stand now; those granted anew to others are left out. When all of
 * them were, between the statement that named them and the one that read them, the call is asked
 * again: what bound it is over.
 */
export function replayOf(
  ids: readonly string[],
  found: ReadonlyMap<string, Allocation>,
): AllocateAnswer {
  const allocations = ids.flatMap((id) => found.get(id) ?? []);
  if (allocations.length === 0) {
    return { kind: 'refused', ...OUTPACED };
  }
  return { kind: 'granted', allocations, contiguous: isContiguous(allocations), replayed: true };
}
