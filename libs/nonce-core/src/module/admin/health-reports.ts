import { ServiceUnavailableException } from '@nestjs/common';
import type { HealthCheckService, HealthIndicatorFunction } from '@nestjs/terminus';

export interface HealthReport {
  readonly up: boolean;
  readonly body: unknown;
}

/** What the probes of the admin port answer. */
export class HealthReports {
  constructor(
    private readonly checks: HealthCheckService,
    private readonly indicators: readonly HealthIndicatorFunction[],
    private readonly isDraining: () => boolean,
  ) {}

  /** Whether new work may be sent here; draining is answered without asking any store. */
  async readiness(): Promise<HealthReport> {
    if (this.isDraining()) return { up: false, body: { status: 'draining' } };
    const { up } = await this.details();
    return { up, body: { status: up ? 'ok' : 'unavailable' } };
  }

  /** Terminus's full answer, indicator by indicator. */
  async details(): Promise<HealthReport> {
    try {
      return { up: true, body: await this.checks.check([...this.indicators]) };
    } catch (error) {
      if (error instanceof ServiceUnavailableException) {
        return { up: false, body: error.getResponse() };
      }
      throw error;
    }
  }
}
