import type { Clock } from '../../ports/clock.port';

const MS_PER_SECOND = 1_000;

/**
 * How many epochs may be replaced per second: those of a whole second at once, then evenly. After a
 * fast store is lost each submitter in use costs one durable write, beside the intents and settles
 * that callers wait for.
 */
export class BumpPace {
  /** Falls below 0 with a group that is larger than what was left. */
  private allowance: number;
  private atMs: number;

  constructor(
    private readonly clock: Clock,
    private readonly perSecond: number,
  ) {
    this.allowance = perSecond;
    this.atMs = clock.monotonicMs();
  }

  /** Takes note of a group that goes now. @returns milliseconds until the next one may go. */
  spend(bumps: number): number {
    const nowMs = this.clock.monotonicMs();
    const earned = ((nowMs - this.atMs) * this.perSecond) / MS_PER_SECOND;
    this.allowance = Math.min(this.perSecond, this.allowance + earned) - bumps;
    this.atMs = nowMs;
    return Math.max(0, Math.ceil((-this.allowance * MS_PER_SECOND) / this.perSecond));
  }
}
