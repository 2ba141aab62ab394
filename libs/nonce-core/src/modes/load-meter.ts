import type { Clock } from '../ports/clock.port';

/** Allocations of this node per second, and for how long they have been as many. */
export class LoadMeter {
  private granted = 0;
  private lookedAtMs: number;
  private busySinceMs: number | null = null;

  constructor(
    private readonly clock: Clock,
    /** Fewer than this per second is no load. */
    private readonly allocationsPerSecond: number,
  ) {
    this.lookedAtMs = clock.monotonicMs();
  }

  count(): void {
    this.granted += 1;
  }

  /** To be asked about once per second; for how long the load has lasted, in milliseconds. */
  busyMs(): number {
    const nowMs = this.clock.monotonicMs();
    const seconds = (nowMs - this.lookedAtMs) / 1_000;
    const isBusy = seconds > 0 && this.granted / seconds >= this.allocationsPerSecond;
    this.busySinceMs = isBusy ? (this.busySinceMs ?? this.lookedAtMs) : null;
    this.granted = 0;
    this.lookedAtMs = nowMs;
    return this.busySinceMs === null ? 0 : nowMs - this.busySinceMs;
  }
}
