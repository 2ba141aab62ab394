export interface BreakerSettings {
  /** Failures in a row that open it, 1…1,000; also the fewest of a window that count as many. */
  readonly failures: number;
  /** More than half of the calls of so many milliseconds failing opens it too. */
  readonly windowMs: number;
}

interface Slice {
  readonly startsAtMs: number;
  calls: number;
  failures: number;
}

/** The window moves in so many steps, so that its memory does not grow with the load. */
const SLICES = 10;

/**
 * Judges one shard of a fast store by how its calls end. Pure: the time comes with each outcome, by
 * a monotonic clock. Open until it is closed by hand: what closes it is proof, not time.
 */
export class Breaker {
  private slices: Slice[] = [];
  private inARow = 0;
  private opened = false;
  private mostly = false;
  private proven = false;

  constructor(private readonly settings: BreakerSettings) {}

  get isOpen(): boolean {
    return this.opened;
  }

  /** The last call failed, and it is not known whether the next one will. */
  get isInDoubt(): boolean {
    return !this.opened && this.inARow > 0;
  }

  /**
   * True when it is open because many calls failed, not because the last ones did: that a store
   * answers now then says little.
   */
  get isMostlyFailing(): boolean {
    return this.opened && this.mostly;
  }

  /** It is open because a look at the store failed, not only calls of this process. */
  get isProven(): boolean {
    return this.opened && this.proven;
  }

  /** How a call ended. @returns true when that opens it. */
  note(succeeded: boolean, nowMs: number): boolean {
    if (this.opened) return false;
    const slice = this.sliceAt(nowMs);
    slice.calls += 1;
    if (!succeeded) slice.failures += 1;
    return this.judge(succeeded);
  }

  /** How a look ended that was no call: it makes no failed call of the window good. */
  probed(succeeded: boolean): boolean {
    if (this.opened) return false;
    this.proven = this.judge(succeeded);
    return this.proven;
  }

  /** Opens it by what was seen elsewhere. */
  trip(): void {
    this.opened = true;
    this.proven = true;
  }

  /** As new. */
  close(): void {
    this.opened = false;
    this.mostly = false;
    this.proven = false;
    this.inARow = 0;
    this.slices = [];
  }

  private judge(succeeded: boolean): boolean {
    this.inARow = succeeded ? 0 : this.inARow + 1;
    if (succeeded) return false;
    this.mostly = this.mostFailed();
    this.opened = this.mostly || this.inARow >= this.settings.failures;
    return this.opened;
  }

  private mostFailed(): boolean {
    let calls = 0;
    let failures = 0;
    for (const slice of this.slices) {
      calls += slice.calls;
      failures += slice.failures;
    }
    return failures >= this.settings.failures && failures * 2 > calls;
  }

  private sliceAt(nowMs: number): Slice {
    const { windowMs } = this.settings;
    const last = this.slices.at(-1);
    if (last !== undefined && nowMs < last.startsAtMs + windowMs / SLICES) return last;
    const next = { startsAtMs: nowMs, calls: 0, failures: 0 };
    this.slices = this.slices.filter(({ startsAtMs }) => startsAtMs > nowMs - windowMs);
    this.slices.push(next);
    return next;
  }
}
