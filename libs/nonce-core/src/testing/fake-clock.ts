import type { Clock } from '../ports/clock.port';

interface Sleeper {
  readonly wakeAtMs: number;
  readonly wake: () => void;
}

/** A clock that moves only when told to. Sleepers wake in the order of their times. */
export class FakeClock implements Clock {
  private sleepers: Sleeper[] = [];
  private elapsedMs = 0;

  constructor(private readonly startMs: number = Date.UTC(2026, 0, 1)) {}

  nowMs(): number {
    return this.startMs + this.elapsedMs;
  }

  monotonicMs(): number {
    return this.elapsedMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms <= 0 || signal?.aborted === true) return Promise.resolve();
    return new Promise<void>((resolve) => {
      const wake = (): void => {
        signal?.removeEventListener('abort', wake);
        this.sleepers = this.sleepers.filter((other) => other !== sleeper);
        resolve();
      };
      const sleeper: Sleeper = { wakeAtMs: this.elapsedMs + ms, wake };
      signal?.addEventListener('abort', wake);
      this.sleepers.push(sleeper);
    });
  }

  /** How many sleeps have not ended. */
  get sleeping(): number {
    return this.sleepers.length;
  }

  /** Moves time; who wakes may sleep again within the same move. */
  async advance(ms: number): Promise<void> {
    const endMs = this.elapsedMs + ms;
    for (;;) {
      const due = this.sleepers
        .filter((sleeper) => sleeper.wakeAtMs <= endMs)
        .sort((a, b) => a.wakeAtMs - b.wakeAtMs);
      const next = due[0];
      if (next === undefined) break;
      this.elapsedMs = Math.max(this.elapsedMs, next.wakeAtMs);
      next.wake();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.elapsedMs = endMs;
  }
}
