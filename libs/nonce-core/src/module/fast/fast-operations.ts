import type { Provider } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { PerformanceEngine } from '../../engines/performance/performance-engine';
import { FlushOverview } from '../../flush/flush-overview';
import type { Clock } from '../../ports/clock.port';
import type { Logger } from '../../ports/logger.port';
import type { Metrics } from '../../ports/metrics.port';
import { ContinuityWatch } from '../../recovery/continuity-watch';
import type { ResolvedNonceOptions } from '../options';
import {
  FAST_SIDE,
  NONCE_CLOCK,
  NONCE_LOGGER,
  NONCE_METRICS,
  NONCE_OPTIONS,
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
        NONCE_OPTIONS,
        FAST_SIDE,
        PerformanceEngine,
        FlushOverview,
        ContinuityWatch,
        NONCE_CLOCK,
      ],
      useFactory: (
        ...[{ mode }, side, engine, overview, watch, clock]: [
          ResolvedNonceOptions,
          FastSide | null,
          PerformanceEngine | null,
          FlushOverview,
          ContinuityWatch | null,
          Clock,
        ]
      ) => new FastHealth({ mode, side, engine, overview, watch, clock }),
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
      NONCE_OPTIONS,
      NONCE_CLOCK,
      NONCE_METRICS,
      NONCE_LOGGER,
    ],
    useFactory: (
      ...[registry, side, engine, watch, options, clock, metrics, logger]: [
        SchedulerRegistry,
        FastSide | null,
        PerformanceEngine | null,
        ContinuityWatch | null,
        ResolvedNonceOptions,
        Clock,
        Metrics,
        Logger,
      ]
    ) => {
      const { mode, performance, recovery, shutdown } = options;
      const plans: JobPlan[] = [];
      if (watch !== null) {
        const { continuityIntervalMs: intervalMs } = recovery;
        plans.push({ name: 'continuity', intervalMs, run: () => watch.tick() });
      }
      if (engine !== null && side !== null && mode === 'PERFORMANCE') {
        const { idleCloseMs } = performance.prefetch;
        plans.push(...upkeepJobs({ engine, client: side.client, idleCloseMs }));
      }
      const jobs = plans.map((plan) => new PeriodicJob(plan, { clock, metrics, logger }));
      return new PeriodicJobs(registry, jobs, logger, shutdown.deadlineMs);
    },
  };
}
