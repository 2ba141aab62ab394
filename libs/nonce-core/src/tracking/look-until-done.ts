import type { AllocationStage } from '../domain/allocation-state';
import type { LookAtRows } from './look-at-rows';

/** Bound of one tick; what is left then is found by the next one. */
const MAX_BATCHES_PER_TICK = 50;

/** Looks batch after batch until nothing more is due, an abort, or the bound of one tick. */
export async function lookUntilDone(
  rows: LookAtRows,
  stages: readonly AllocationStage[],
  signal?: AbortSignal,
): Promise<number> {
  let total = 0;
  for (let batch = 0; batch < MAX_BATCHES_PER_TICK; batch += 1) {
    if (signal?.aborted === true) break;
    const looked = await rows.look(stages);
    total += looked;
    if (looked === 0) break;
  }
  return total;
}
