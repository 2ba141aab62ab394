import type { HealthIndicatorResult } from '@nestjs/terminus';
import type { HealthProbe, StoreHealth } from '../ports/health.port';
import type { Metrics } from '../ports/metrics.port';

/** A store that needs longer than this is of no use to a caller either. */
const PROBE_TIMEOUT_MS = 1_000;

/** What is told beside the stores. Never rejects; what is not known in time is left out. */
export interface HealthFacts {
  read(timeoutMs: number): Promise<Readonly<Record<string, unknown>>>;
  /** What is too much or too slow, and what is done about it, part by part. */
  react(
    stores: readonly StoreHealth[],
    facts: Readonly<Record<string, unknown>>,
  ): Readonly<Record<string, unknown>>;
}

/**
 * Stores as terminus wants them. Up while Postgres answers. Without Redis the reliable mode goes on,
 * and the performance mode still records intents and reports of what is held, which no other
 * process could do better: its loss is shown and does not take the process out of service.
 */
export class NonceHealthIndicator {
  constructor(
    private readonly probes: readonly HealthProbe[],
    private readonly metrics: Metrics,
    private readonly more: HealthFacts,
  ) {}

  async check(key: string): Promise<HealthIndicatorResult> {
    const [more, ...stores] = await Promise.all([
      this.more.read(PROBE_TIMEOUT_MS),
      ...this.probes.map((probe) => probe.check(PROBE_TIMEOUT_MS)),
    ]);
    for (const { store, up } of stores) {
      this.metrics.set('nonce_store_up', { store }, up ? 1 : 0);
    }
    const serving = stores.every((health) => health.up || health.store !== 'postgres');
    const facts = Object.fromEntries(stores.map((health) => [health.store, factsOf(health)]));
    const reactions = this.more.react(stores, more);
    return { [key]: { status: serving ? 'up' : 'down', ...more, ...facts, reactions } };
  }
}

function factsOf({ up, latencyMs, detail }: StoreHealth): Record<string, unknown> {
  return {
    status: up ? 'up' : 'down',
    ...(latencyMs === null ? {} : { latencyMs: Math.round(latencyMs * 10) / 10 }),
    ...(detail === null ? {} : { detail }),
  };
}
