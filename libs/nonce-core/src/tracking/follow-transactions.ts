import type { AllocationStage } from '../domain/allocation-state';
import type { LookAtRows } from './look-at-rows';
import { lookUntilDone } from './look-until-done';

/**
 * ASSERTED is here for those with a hash on a chain that was configured later: alignment asks for a
 * look at them once their nonce is final by count.
 */
const FOLLOWED: readonly AllocationStage[] = [
  'BROADCAST',
  'MINED',
  'CONFIRMED',
  'BURNING',
  'ASSERTED',
];

/**
 * Follows transactions by the receipts of every hash ever recorded at their nonce: BROADCAST →
 * MINED → CONFIRMED → FINAL, and back to BROADCAST when a block is replaced, whose stored bytes are
 * then sent again (S15). A transaction that all pools forgot is sent again as well (L7).
 */
export class FollowTransactions {
  constructor(private readonly rows: LookAtRows) {}

  /** @returns how many rows were looked at. */
  tick(signal?: AbortSignal): Promise<number> {
    return lookUntilDone(this.rows, FOLLOWED, signal);
  }
}
