import type { LookAtRows } from './look-at-rows';
import { lookUntilDone } from './look-until-done';

/**
 * Looks for evidence about nonces that may have been sent: a receipt of a recorded hash makes them
 * MINED, a pool that still holds one moves their release. Without evidence nothing is decided here:
 * the release as a replacement is the allocation's, and under `hold` the row is reported.
 */
export class SettleQuarantine {
  constructor(private readonly rows: LookAtRows) {}

  /** @returns how many rows were looked at. */
  tick(signal?: AbortSignal): Promise<number> {
    return lookUntilDone(this.rows, ['QUARANTINED'], signal);
  }
}
