import type { Provider } from '@nestjs/common';
import { CompareMirror } from '../../engines/dual-write/compare-mirror';
import { PerformanceEngine } from '../../engines/performance/performance-engine';
import { FLUSH_DEFAULTS } from '../../flush/flush-deps';
import { FlushEvents } from '../../flush/flush-events';
import { FlushOverview } from '../../flush/flush-overview';
import { MeasureFlush } from '../../flush/measure-flush';
import { DrainFast } from '../../modes/drain-fast';
import type { Clock } from '../../ports/clock.port';
import type { FastEpochStore } from '../../ports/fast-epoch-store.port';
import type { FlushReports } from '../../ports/flush-report.port';
import type { DeadLetterStore, FlushStore } from '../../ports/flush-store.port';
import type { Logger } from '../../ports/logger.port';
import type { Metrics } from '../../ports/metrics.port';
import type { ModeSource } from '../../ports/mode-source.port';
import { TendFastEpochs } from '../../tracking/tend-fast-epochs';
import { NonceEvents } from '../nonce-events';
import type { ResolvedNonceOptions } from '../options';
import {
  DEAD_LETTER_STORE,
  FAST_EPOCH_STORE,
  FAST_SIDE,
  FAST_WORKER_PLANS,
  FLUSH_REPORTS,
  FLUSH_STORE,
  MODE_SOURCE,
  NONCE_CLOCK,
  NONCE_LOGGER,
  NONCE_METRICS,
  NONCE_OPTIONS,
} from '../tokens';
import { allShards } from '../modes/all-shards';
import { sweepJob } from '../modes/sweep-job';
import { flushJobs } from '../tracking/flush-jobs';
import type { JobPlan } from '../tracking/periodic-job';
import type { FastSide } from './fast-side';
import { FlushDrain, type FlushAll } from './flush-drain';
import { mirrorJob } from './mirror-providers';

/** How often a worker looks at a page of epochs, and how many are a page. */
const TEND_INTERVAL_MS = 1_000;
const TEND_PAGE = 500;
/** Longer than any backlog takes that still makes sense to wait for. */
const DRAIN_DEADLINE_MS = 60_000;

/** The way of events from Redis to Postgres: for workers, and on order. Null without Redis. */
export function flushProviders(): Provider[] {
  return [
    flushEventsProvider(),
    {
      provide: FlushOverview,
      inject: [FAST_SIDE, FLUSH_STORE, DEAD_LETTER_STORE, FLUSH_REPORTS, NONCE_OPTIONS],
      useFactory: (
        ...[side, store, letters, reports, { quarantine, redis }]: [
          FastSide | null,
          FlushStore,
          DeadLetterStore,
          FlushReports,
          ResolvedNonceOptions,
        ]
      ) => {
        const queue = side?.queue ?? null;
        return new FlushOverview({ queue, store, letters, reports }, quarantine, redis.shards);
      },
    },
    {
      provide: FlushDrain,
      inject: [FlushEvents, NONCE_LOGGER, NONCE_OPTIONS],
      useFactory: (flush: FlushEvents | null, logger: Logger, options: ResolvedNonceOptions) =>
        flush === null
          ? new FlushDrain(null, logger)
          : new FlushDrain(flushAll(flush, options), logger, (deadlineMs) =>
              flush.flushWaiting(allShards(options.redis.shards), deadlineMs),
            ),
    },
    workerPlansProvider(),
  ];
}

function flushAll(flush: FlushEvents, { redis }: ResolvedNonceOptions): FlushAll {
  const shards = allShards(redis.shards);
  return async (signal) => {
    await flush.drain(shards, { deadlineMs: DRAIN_DEADLINE_MS, signal });
  };
}

function flushEventsProvider(): Provider {
  return {
    provide: FlushEvents,
    inject: [
      FAST_SIDE,
      FLUSH_STORE,
      FLUSH_REPORTS,
      NonceEvents,
      NONCE_METRICS,
      NONCE_LOGGER,
      NONCE_CLOCK,
      NONCE_OPTIONS,
    ],
    useFactory: (
      ...[side, store, reports, events, metrics, logger, clock, options]: [
        FastSide | null,
        FlushStore,
        FlushReports,
        NonceEvents,
        Metrics,
        Logger,
        Clock,
        ResolvedNonceOptions,
      ]
    ) => {
      if (side === null) return null;
      const { queue, worker } = side;
      const { flush, redis, quarantine } = options;
      const { batchMax, retries, maxDeliveries } = flush;
      return new FlushEvents(
        { queue, store, reports, events, metrics, logger, clock },
        {
          ...FLUSH_DEFAULTS,
          ...{ worker, shards: redis.shards, quarantine, batchMax, retries, maxDeliveries },
        },
      );
    },
  };
}

/**
 * What a worker does beside following transactions, in any mode: Redis may hold events and epochs of
 * processes that issued from it. Free nonces are handed over by the module itself.
 */
function workerPlansProvider(): Provider {
  return {
    provide: FAST_WORKER_PLANS,
    inject: [
      FAST_SIDE,
      FlushEvents,
      CompareMirror,
      DrainFast,
      MODE_SOURCE,
      PerformanceEngine,
      FAST_EPOCH_STORE,
      DEAD_LETTER_STORE,
      NONCE_METRICS,
      NONCE_LOGGER,
      NONCE_OPTIONS,
    ],
    useFactory: (
      ...[side, flush, compare, drain, mode, engine, epochs, letters, metrics, logger, options]: [
        FastSide | null,
        FlushEvents | null,
        CompareMirror | null,
        DrainFast | null,
        ModeSource,
        PerformanceEngine | null,
        FastEpochStore,
        DeadLetterStore,
        Metrics,
        Logger,
        ResolvedNonceOptions,
      ]
    ): readonly JobPlan[] => {
      if (side === null || flush === null || engine === null) return [];
      const { queue, store: fast } = side;
      const measure = new MeasureFlush({ queue, letters, metrics }, options.redis.shards);
      const { idleCloseMs } = options.performance.prefetch;
      const tend = new TendFastEpochs(
        { epochs, fast, logger },
        { idleCloseMs, pageSize: TEND_PAGE },
      );
      return [
        ...flushJobs({ flush, measure, intervalMs: options.flush.intervalMs }),
        { name: 'fast-tend', intervalMs: TEND_INTERVAL_MS, run: (signal) => tend.tick(signal) },
        ...(drain === null ? [] : [sweepJob(drain, mode)]),
        ...(compare === null ? [] : [mirrorJob(compare)]),
      ];
    },
  };
}
