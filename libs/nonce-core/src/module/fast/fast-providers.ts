import type { Provider } from '@nestjs/common';
import { PerformanceEngine } from '../../engines/performance/performance-engine';
import type { AllocationStore } from '../../ports/allocation-store.port';
import type { BaselineSource } from '../../ports/baseline.port';
import type { ChainRegistry } from '../../ports/chain.port';
import type { Clock } from '../../ports/clock.port';
import type { FastEpochStore } from '../../ports/fast-epoch-store.port';
import type { FlushStore } from '../../ports/flush-store.port';
import type { Logger } from '../../ports/logger.port';
import type { Metrics } from '../../ports/metrics.port';
import type { SubmitterStore } from '../../ports/submitter-store.port';
import { PostgresDeadLetterStore } from '../../postgres/postgres-dead-letter-store';
import { PostgresFastEpochStore } from '../../postgres/postgres-fast-epoch-store';
import { PostgresFlushReports } from '../../postgres/postgres-flush-reports';
import { PostgresFlushStore } from '../../postgres/postgres-flush-store';
import type { OpenContinuity } from '../../recovery/open-continuity';
import type { RedisClient } from '../../redis/redis-client';
import { LimitChanges } from '../limit-changes';
import { NonceEvents } from '../nonce-events';
import type { OpenDatabase } from '../open-database';
import type { ResolvedNonceOptions } from '../options';
import { SubmitterWindows } from '../submitter-windows';
import {
  ALLOCATION_STORE,
  BASELINE_SOURCE,
  CHAIN_REGISTRY,
  CONTINUITY,
  DATABASE,
  DEAD_LETTER_STORE,
  FAST_EPOCH_STORE,
  FAST_SIDE,
  FLUSH_REPORTS,
  FLUSH_STORE,
  HOST_REDIS,
  NONCE_CLOCK,
  NONCE_LOGGER,
  NONCE_METRICS,
  NONCE_OPTIONS,
  SUBMITTER_STORE,
} from '../tokens';
import { continuityProviders } from './continuity-providers';
import { fastOperations } from './fast-operations';
import { FastSide } from './fast-side';
import { flushProviders } from './flush-providers';

/**
 * What issues from Redis and what brings its events to Postgres. Without Redis the side of it and
 * the engine are null; the rest reads Postgres alone.
 */
export function fastProviders(): Provider[] {
  return [
    {
      provide: FAST_SIDE,
      inject: [HOST_REDIS, NONCE_CLOCK, NONCE_OPTIONS],
      useFactory: (client: RedisClient | null, clock: Clock, options: ResolvedNonceOptions) =>
        client === null ? null : new FastSide(client, clock, options),
    },
    {
      provide: FAST_EPOCH_STORE,
      inject: [DATABASE, SubmitterWindows, NONCE_OPTIONS],
      useFactory: (
        { runner }: OpenDatabase,
        windows: SubmitterWindows,
        { quarantine }: ResolvedNonceOptions,
      ) => windows.applyToEpochs(new PostgresFastEpochStore(runner, quarantine)),
    },
    onDatabase(FLUSH_STORE, ({ runner }) => new PostgresFlushStore(runner)),
    onDatabase(DEAD_LETTER_STORE, ({ runner }) => new PostgresDeadLetterStore(runner)),
    onDatabase(FLUSH_REPORTS, ({ runner }) => new PostgresFlushReports(runner)),
    ...continuityProviders(),
    engineProvider(),
    ...flushProviders(),
    ...fastOperations(),
  ];
}

function onDatabase(provide: symbol, make: (database: OpenDatabase) => unknown): Provider {
  return { provide, inject: [DATABASE], useFactory: make };
}

/** Built in every mode that has Redis: workers look after epochs and limits with it. */
function engineProvider(): Provider {
  return {
    provide: PerformanceEngine,
    inject: [
      FAST_SIDE,
      CONTINUITY,
      FAST_EPOCH_STORE,
      ALLOCATION_STORE,
      FLUSH_STORE,
      SUBMITTER_STORE,
      BASELINE_SOURCE,
      CHAIN_REGISTRY,
      SubmitterWindows,
      LimitChanges,
      NONCE_OPTIONS,
      NONCE_CLOCK,
      NONCE_METRICS,
      NonceEvents,
      NONCE_LOGGER,
    ],
    useFactory: (
      ...[side, opened, epochs, store, flush, submitters, baseline, chains, ...rest]: [
        FastSide | null,
        OpenContinuity | null,
        FastEpochStore,
        AllocationStore,
        FlushStore,
        SubmitterStore,
        BaselineSource,
        ChainRegistry,
        ...Surroundings,
      ]
    ) => {
      const [windows, limits, options, clock, metrics, events, logger] = rest;
      if (side === null || opened === null) return null;
      const engine = new PerformanceEngine(
        {
          ...{ epochs, store, flush, baseline, chains, clock, metrics, events, logger },
          fast: side.store,
          continuity: opened.continuity,
          submitters: windows.viewOf(submitters),
        },
        {
          ...options.performance,
          maxInFlight: options.maxInFlight,
          quarantine: options.quarantine,
        },
      );
      limits.tell((submitter) => engine.refreshLimits(submitter));
      return engine;
    },
  };
}

type Surroundings = [
  SubmitterWindows,
  LimitChanges,
  ResolvedNonceOptions,
  Clock,
  Metrics,
  NonceEvents,
  Logger,
];
