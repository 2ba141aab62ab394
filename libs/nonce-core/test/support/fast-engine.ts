import { PerformanceEngine } from '../../src/engines/performance/performance-engine';
import type { PerformanceEngineOptions } from '../../src/engines/performance/performance-options';
import type { PerformanceEnginePorts } from '../../src/engines/performance/performance-ports';
import type { FastStore } from '../../src/ports/fast-store.port';
import { NO_METRICS } from '../../src/ports/metrics.port';
import { PostgresAllocationStore } from '../../src/postgres/postgres-allocation-store';
import { PostgresFastEpochStore } from '../../src/postgres/postgres-fast-epoch-store';
import { PostgresFlushStore } from '../../src/postgres/postgres-flush-store';
import { PostgresSubmitterStore } from '../../src/postgres/postgres-submitter-store';
import type { StatementRunner } from '../../src/postgres/statement-runner';
import { HandOver } from '../../src/routing/hand-over';
import type { ContractWorld } from '../../src/testing';
import { fixedMode } from './fixed-mode';

const SILENT = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export const SYSTEM_CLOCK = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
};

interface EngineStores {
  readonly runner: StatementRunner;
  readonly fast: FastStore;
  readonly world: ContractWorld;
}

/** The performance engine over real stores; nothing watches it. */
export function performanceEngine(
  { runner, fast, world }: EngineStores,
  options: Partial<PerformanceEngineOptions> = {},
  ports: Partial<PerformanceEnginePorts> = {},
): PerformanceEngine {
  const flush = new PostgresFlushStore(runner);
  return new PerformanceEngine(
    {
      fast,
      epochs: new PostgresFastEpochStore(runner, world.quarantine),
      store: new PostgresAllocationStore(runner),
      flush,
      mode: fixedMode(),
      handOver: new HandOver({
        fast,
        apply: (facts) => flush.apply(facts, world.quarantine),
        logger: SILENT,
      }),
      continuity: { keep: () => Promise.resolve() },
      submitters: new PostgresSubmitterStore(runner),
      baseline: world.baseline,
      chains: world.chains,
      clock: SYSTEM_CLOCK,
      metrics: NO_METRICS,
      events: { publish: () => undefined },
      logger: SILENT,
      ...ports,
    },
    { maxInFlight: world.maxInFlight, quarantine: world.quarantine, ...options },
  );
}
