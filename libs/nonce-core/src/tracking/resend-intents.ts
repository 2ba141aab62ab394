import type { LookAtRows } from './look-at-rows';
import { lookUntilDone } from './look-until-done';

/**
 * Takes over intents whose holder's time is over without a word: it may have died before, during or
 * after sending (K4 to K7). A receipt of a recorded hash settles it; otherwise the same stored bytes
 * are sent again, which is always safe; without stored bytes a pool is asked, and a hash that nobody
 * knows goes to quarantine. The nonce never goes to other work here.
 */
export class ResendIntents {
  constructor(private readonly rows: LookAtRows) {}

  /** @returns how many rows were looked at. */
  tick(signal?: AbortSignal): Promise<number> {
    return lookUntilDone(this.rows, ['INTENT'], signal);
  }
}
