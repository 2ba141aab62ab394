import type { FlushReport, FlushReports } from '../ports/flush-report.port';
import type { StatementParameters } from './generated/sql';
import type { StatementRunner } from './statement-runner';

interface ReportRow {
  readonly last_success_at: Date | null;
  readonly last_failure_at: Date | null;
  readonly last_failure: string | null;
  readonly workers: string;
}

/** Notes beside the claims of the workers. */
export class PostgresFlushReports implements FlushReports {
  constructor(private readonly runner: StatementRunner) {}

  async note(worker: string, failure: string | null): Promise<void> {
    await this.runner.run<Record<string, never>, StatementParameters['reportFlush']>(
      this.runner.statements.reportFlush,
      { worker, failure },
    );
  }

  async read(): Promise<FlushReport> {
    const [row] = await this.runner.run<ReportRow, Record<string, never>>(
      this.runner.statements.flushReport,
      {},
    );
    return {
      lastSuccessAt: row?.last_success_at ?? null,
      lastFailureAt: row?.last_failure_at ?? null,
      lastFailure: row?.last_failure ?? null,
      workers: Number(row?.workers ?? 0),
    };
  }
}
