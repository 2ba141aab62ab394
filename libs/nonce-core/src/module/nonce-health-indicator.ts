import type { HealthIndicatorResult } from '@nestjs/terminus';
import type { HealthProbe, StoreHealth } from '../ports/health.port';
import type { Metrics } from '../ports/metrics.port';

/** A store that needs longer than this is of no use to a caller either. */
const PROBE_TIMEOUT_MS = 1_000;

/**
 * Stores as terminus wants them. Up while Postgres answers: without Redis allocations go on, only
 * slower, so its loss is shown and does not take the process out of service.
 */
export class NonceHealthIndicator {
  constructor(
    private readonly probes: readonly HealthProbe[],
    private readonly metrics: Metrics,
  ) {}

  async check(key: string): Promise<HealthIndicatorResult> {
    const stores = await Promise.all(this.probes.map((probe) => probe.check(PROBE_TIMEOUT_MS)));
    for (const { store, up } of stores) {
      this.metrics.set('nonce_store_up', { store }, up ? 1 : 0);
    }
    const serving = stores.every((health) => health.up || health.store !== 'postgres');
    const facts = Object.fromEntries(stores.map((health) => [health.store, factsOf(health)]));
    return { [key]: { status: serving ? 'up' : 'down', ...facts } };
  }
}

function factsOf({ up, latencyMs, detail }: StoreHealth): Record<string, unknown> {
  return {
    status: up ? 'up' : 'down',
    ...(latencyMs === null ? {} : { latencyMs: Math.round(latencyMs * 10) / 10 }),
    ...(detail === null ? {} : { detail }),
  };
}
