import type { Provider } from '@nestjs/common';
import { PerformanceEngine } from '../../engines/performance/performance-engine';
import type { PerformanceEnginePorts } from '../../engines/performance/performance-ports';
import type { AllocationStore } from '../../ports/allocation-store.port';
import type { BaselineSource } from '../../ports/baseline.port';
import type { ChainRegistry } from '../../ports/chain.port';
import type { Clock } from '../../ports/clock.port';
import type { FastEpochStore } from '../../ports/fast-epoch-store.port';
import type { FastStore } from '../../ports/fast-store.port';
import type { FlushStore } from '../../ports/flush-store.port';
import type { Logger } from '../../ports/logger.port';
import type { Metrics } from '../../ports/metrics.port';
import type { ModeSource } from '../../ports/mode-source.port';
import type { SubmitterStore } from '../../ports/submitter-store.port';
import type { EpochHandOver } from '../../ports/take-over.port';
import type { OpenContinuity } from '../../recovery/open-continuity';
import { LimitChanges } from '../limit-changes';
import { NonceEvents } from '../nonce-events';
import type { ResolvedNonceOptions } from '../options';
import { SubmitterWindows } from '../submitter-windows';
import {
  ALLOCATION_STORE,
  BASELINE_SOURCE,
  CHAIN_REGISTRY,
  CONTINUITY,
  FAST_EPOCH_STORE,
  FAST_STORE,
  FLUSH_STORE,
  HAND_OVER,
  MODE_SOURCE,
  NONCE_CLOCK,
  NONCE_LOGGER,
  NONCE_METRICS,
  NONCE_OPTIONS,
  SUBMITTER_STORE,
} from '../tokens';

type Injected = [
  FastStore | null,
  OpenContinuity | null,
  SubmitterStore,
  SubmitterWindows,
  LimitChanges,
  ResolvedNonceOptions,
  FastEpochStore,
  AllocationStore,
  FlushStore,
  BaselineSource,
  ChainRegistry,
  Clock,
  Metrics,
  NonceEvents,
  Logger,
  ModeSource,
  EpochHandOver | null,
];

/** Built in every mode that has Redis: workers look after epochs and limits with it. */
export function performanceEngineProvider(): Provider {
  return {
    provide: PerformanceEngine,
    inject: [
      FAST_STORE,
      CONTINUITY,
      SUBMITTER_STORE,
      SubmitterWindows,
      LimitChanges,
      NONCE_OPTIONS,
      FAST_EPOCH_STORE,
      ALLOCATION_STORE,
      FLUSH_STORE,
      BASELINE_SOURCE,
      CHAIN_REGISTRY,
      NONCE_CLOCK,
      NONCE_METRICS,
      NonceEvents,
      NONCE_LOGGER,
      MODE_SOURCE,
      HAND_OVER,
    ],
    useFactory: (...[fast, opened, submitters, windows, limits, options, ...rest]: Injected) => {
      const [epochs, store, flush, baseline, chains, clock, metrics, events, logger, ...modes] =
        rest;
      const [mode, handOver] = modes;
      if (fast === null || opened === null || handOver === null) return null;
      const ports: PerformanceEnginePorts = {
        ...{ fast, epochs, store, flush, baseline, chains, clock, metrics, events, logger },
        ...{ mode, handOver },
        continuity: opened.continuity,
        submitters: windows.viewOf(submitters),
      };
      const { performance, maxInFlight, quarantine } = options;
      const engine = new PerformanceEngine(ports, { ...performance, maxInFlight, quarantine });
      limits.tell((submitter) => engine.refreshLimits(submitter));
      mode.onChange(({ prefetch }) => {
        engine.tunePrefetch({ ...performance.prefetch, ...prefetch });
        engine.keepOnly((submitter) => mode.engineFor(submitter) === 'performance');
      });
      return engine;
    },
  };
}
