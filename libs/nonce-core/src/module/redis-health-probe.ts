import type { Clock } from '../ports/clock.port';
import type { HealthProbe, StoreHealth } from '../ports/health.port';
import type { RedisClient } from '../redis/redis-client';

/** One PING. */
export class RedisHealthProbe implements HealthProbe {
  readonly store = 'redis';

  constructor(
    private readonly client: RedisClient,
    private readonly clock: Clock,
  ) {}

  async check(timeoutMs: number): Promise<StoreHealth> {
    const startedAtMs = this.clock.monotonicMs();
    const patience = new AbortController();
    try {
      const ping = this.client.ping().then(() => 'answered' as const);
      const late = this.clock.sleep(timeoutMs, patience.signal).then(() => 'late' as const);
      if ((await Promise.race([ping, late])) === 'late') {
        return down(`no answer within ${timeoutMs} ms`);
      }
      const latencyMs = this.clock.monotonicMs() - startedAtMs;
      return { store: 'redis', up: true, latencyMs, detail: null };
    } catch (error) {
      return down(error instanceof Error ? error.message : 'unknown failure');
    } finally {
      patience.abort();
    }
  }
}

function down(detail: string): StoreHealth {
  return { store: 'redis', up: false, latencyMs: null, detail };
}
