import type { HealthProbe, StoreHealth } from '../ports/health.port';
import type { StatementRunner } from './statement-runner';

/** One statement, bounded by the caller's patience rather than by the statement timeout. */
export class PostgresHealthProbe implements HealthProbe {
  readonly store = 'postgres';

  constructor(private readonly runner: StatementRunner) {}

  async check(timeoutMs: number): Promise<StoreHealth> {
    const startedAt = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`no answer within ${timeoutMs} ms`));
      }, timeoutMs);
    });
    try {
      const rows = await Promise.race([this.ask(), patience]);
      const standby = rows[0]?.in_recovery === true;
      const latencyMs = performance.now() - startedAt;
      return standby
        ? { store: 'postgres', up: false, latencyMs, detail: 'the server is a standby' }
        : { store: 'postgres', up: true, latencyMs, detail: null };
    } catch (error) {
      const detail = error instanceof Error ? error.message : 'unknown failure';
      return { store: 'postgres', up: false, latencyMs: null, detail };
    } finally {
      clearTimeout(timer);
    }
  }

  private ask(): Promise<readonly { in_recovery: boolean }[]> {
    return this.runner.run<{ in_recovery: boolean }, Readonly<Record<string, never>>>(
      this.runner.statements.ping,
      {},
    );
  }
}
