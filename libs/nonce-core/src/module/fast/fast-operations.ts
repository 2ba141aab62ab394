import type { Provider } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { PerformanceEngine } from '../../engines/performance/performance-engine';
import { FlushEvents } from '../../flush/flush-events';
import { FlushOverview } from '../../flush/flush-overview';
import type { ShardBreakers } from '../../modes/shard-breakers';
import type { Clock } from '../../ports/clock.port';
import type { Logger } from '../../ports/logger.port';
import type { Metrics } from '../../ports/metrics.port';
import type { ModeSource } from '../../ports/mode-source.port';
import { ContinuityWatch } from '../../recovery/continuity-watch';
import type { ResolvedNonceOptions } from '../options';
import {
  FAST_SIDE,
  MODE_SOURCE,
  NONCE_CLOCK,
  NONCE_LOGGER,
  NONCE_METRICS,
  NONCE_OPTIONS,
  SHARD_BREAKERS,
  UPKEEP_JOBS,
} from '../tokens';
import { PeriodicJob, type JobPlan } from '../tracking/periodic-job';
import { PeriodicJobs } from '../tracking/periodic-jobs';
import { FastHealth } from './fast-health';
import type { FastSide } from './fast-side';
import { upkeepJobs } from './upkeep-jobs';

/** What health tells of the fast side, and the upkeep of this process. */
export function fastOperations(): Provider[] {
  return [
    {
      provide: FastHealth,
      inject: [
        MODE_SOURCE,
        FAST_SIDE,
        PerformanceEngine,
        FlushOverview,
        ContinuityWatch,
        NONCE_CLOCK,
        FlushEvents,
        SHARD_BREAKERS,
        NONCE_OPTIONS,
      ],
      useFactory: (
        ...[source, side, engine, overview, watch, clock, flush, breakers, options]: [
          ModeSource,
          FastSide | null,
          PerformanceEngine | null,
          FlushOverview,
          ContinuityWatch | null,
          Clock,
          FlushEvents | null,
          ShardBreakers | null,
          ResolvedNonceOptions,
        ]
      ) =>
        new FastHealth({
          ...{ source, side, engine, overview, watch, clock, flush, breakers },
          thresholds: options,
        }),
    },
    upkeepProvider(),
  ];
}

/** In the process that issues; workers have jobs of their own. */
function upkeepProvider(): Provider {
  return {
    provide: UPKEEP_JOBS,
    inject: [
      SchedulerRegistry,
      FAST_SIDE,
      PerformanceEngine,
      ContinuityWatch,
      MODE_SOURCE,
      NONCE_OPTIONS,
      NONCE_CLOCK,
      NONCE_METRICS,
      NONCE_LOGGER,
    ],
    useFactory: (
      ...[registry, side, engine, watch, source, options, clock, metrics, logger]: [
        SchedulerRegistry,
        FastSide | null,
        PerformanceEngine | null,
        ContinuityWatch | null,
        ModeSource,
        ResolvedNonceOptions,
        Clock,
        Metrics,
        Logger,
      ]
    ) => {
      const { modes, performance, recovery, shutdown } = options;
      const plans: JobPlan[] = [
        { name: 'mode', intervalMs: modes.pollMs, run: () => source.refresh() },
      ];
      if (watch !== null) {
        const { continuityIntervalMs: intervalMs } = recovery;
        plans.push({ name: 'continuity', intervalMs, run: () => watch.tick() });
      }
      if (engine !== null && side !== null) {
        const { idleCloseMs } = performance.prefetch;
        plans.push(...upkeepJobs({ engine, client: side.client, idleCloseMs }));
      }
      const jobs = plans.map((plan) => new PeriodicJob(plan, { clock, metrics, logger }));
      return new PeriodicJobs(registry, jobs, logger, shutdown.deadlineMs);
    },
  };
}
