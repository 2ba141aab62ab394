import type { Clock } from '../ports/clock.port';
import type { Logger } from '../ports/logger.port';

/**
 * Keeps a dead Redis from costing every batch its timeout: after a failure nobody tries for a
 * while, then the next one does. Each change of state is logged once.
 */
export class AvailabilityGate {
  private closedUntilMs = 0;
  private away = false;

  constructor(
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly restMs: number,
  ) {}

  mayTry(): boolean {
    return this.clock.monotonicMs() >= this.closedUntilMs;
  }

  failed(error: Error): void {
    this.closedUntilMs = this.clock.monotonicMs() + this.restMs;
    if (this.away) return;
    this.away = true;
    this.logger.warn('Redis does not answer: batches run without its lock', {
      reason: error.message,
    });
  }

  succeeded(): void {
    if (!this.away) return;
    this.away = false;
    this.closedUntilMs = 0;
    this.logger.info('Redis answers again: batches take its lock');
  }
}
