/**
 * Counts requests between their first byte and their answer, so that a shutdown can let them end.
 * Once draining nothing new is taken; what was taken before is finished.
 */
export class InFlightRequests {
  private count = 0;
  private isDraining = false;
  private whenIdle: (() => void) | undefined;

  get draining(): boolean {
    return this.isDraining;
  }

  started(): void {
    this.count += 1;
  }

  ended(): void {
    this.count -= 1;
    if (this.count === 0) this.whenIdle?.();
  }

  /** Resolves true when the last request has been answered, false when the deadline came first. */
  async drain(deadlineMs: number): Promise<boolean> {
    this.isDraining = true;
    if (this.count === 0) return true;
    return new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => {
        this.whenIdle = undefined;
        resolve(false);
      }, deadlineMs);
      this.whenIdle = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }
}
