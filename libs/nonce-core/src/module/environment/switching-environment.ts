import { IsBoolean, IsInt, Max, Min } from 'class-validator';
import { FromEnvironment } from './setting';
import { StoresEnvironment } from './stores-environment';

/** How the mode is switched by people and by itself, and what health makes of it. */
export class SwitchingEnvironment extends StoresEnvironment {
  @FromEnvironment({
    name: 'NONCE_DEGRADE_ON_REDIS_FAILURE',
    kind: 'boolean',
    reason: 'Leaves Redis for Postgres when it fails; `false` refuses allocations instead.',
  })
  @IsBoolean()
  degradeOnRedisFailure = true;

  @FromEnvironment({
    name: 'NONCE_DEGRADE_FAILURES',
    kind: 'integer',
    unit: 'failures',
    reason: 'Failures in a row of one shard after which Redis counts as failed.',
  })
  @IsInt()
  @Min(1)
  @Max(1_000)
  degradeFailures = 3;

  @FromEnvironment({
    name: 'NONCE_DEGRADE_WINDOW_MS',
    kind: 'integer',
    unit: 'ms',
    reason: 'More than half of the calls of this time failing is as bad.',
  })
  @IsInt()
  @Min(100)
  @Max(600_000)
  degradeWindowMs = 2_000;

  @FromEnvironment({
    name: 'NONCE_DEGRADE_PROBE_INTERVAL_MS',
    kind: 'integer',
    unit: 'ms',
    reason: 'Longest time between looks at a Redis that failed.',
  })
  @IsInt()
  @Min(50)
  @Max(600_000)
  degradeProbeIntervalMs = 5_000;

  @FromEnvironment({
    name: 'NONCE_DEGRADE_RETURN_AFTER_MS',
    kind: 'integer',
    unit: 'ms',
    reason: 'Time without a failure after which Redis is trusted again.',
  })
  @IsInt()
  @Min(100)
  @Max(86_400_000)
  degradeReturnAfterMs = 30_000;

  @FromEnvironment({
    name: 'NONCE_DEGRADE_MAX_DWELL_MS',
    kind: 'integer',
    unit: 'ms',
    reason: 'Each relapse within 10 min doubles that time, up to this.',
  })
  @IsInt()
  @Min(100)
  @Max(86_400_000)
  degradeMaxDwellMs = 600_000;

  @FromEnvironment({
    name: 'NONCE_MODES_WAIT_MS',
    kind: 'integer',
    unit: 'ms',
    reason: 'How long a call waits for a switch of the mode before it is refused.',
  })
  @IsInt()
  @Min(0)
  @Max(600_000)
  modesWaitMs = 5_000;

  @FromEnvironment({
    name: 'NONCE_MODES_POLL_MS',
    kind: 'integer',
    unit: 'ms',
    reason: 'Time between looks at the mode in Postgres.',
  })
  @IsInt()
  @Min(20)
  @Max(60_000)
  modesPollMs = 250;

  @FromEnvironment({
    name: 'NONCE_MODES_DRAIN_DEADLINE_MS',
    kind: 'integer',
    unit: 'ms',
    reason: 'How long DRAIN waits for live holders before their grants become rows.',
  })
  @IsInt()
  @Min(0)
  @Max(3_600_000)
  modesDrainDeadlineMs = 30_000;

  @FromEnvironment({
    name: 'NONCE_AUTO_PROMOTE',
    kind: 'boolean',
    reason: 'Walks from RELIABLE over DUAL_WRITE to PERFORMANCE under sustained load.',
  })
  @IsBoolean()
  autoPromote = false;

  @FromEnvironment({
    name: 'NONCE_AUTO_PROMOTE_ALLOCATIONS_PER_SECOND',
    kind: 'integer',
    unit: 'allocations',
    reason: 'Load of one process that asks for the next faster mode.',
  })
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  autoPromoteAllocationsPerSecond = 1_000;

  @FromEnvironment({
    name: 'NONCE_AUTO_PROMOTE_SUSTAINED_MS',
    kind: 'integer',
    unit: 'ms',
    reason: 'Time without a break for which that load has to last.',
  })
  @IsInt()
  @Min(1_000)
  @Max(86_400_000)
  autoPromoteSustainedMs = 60_000;

  @FromEnvironment({
    name: 'NONCE_HEALTH_QUEUE_MAX',
    kind: 'integer',
    unit: 'events',
    reason: 'Events waiting for Postgres from which on health shows the queue as degraded.',
  })
  @IsInt()
  @Min(1)
  @Max(100_000_000)
  healthQueueMax = 10_000;

  @FromEnvironment({
    name: 'NONCE_HEALTH_QUEUE_AGE_MS',
    kind: 'integer',
    unit: 'ms',
    reason: 'Age of the oldest of them from which on it does so too.',
  })
  @IsInt()
  @Min(100)
  @Max(86_400_000)
  healthQueueAgeMs = 30_000;

  @FromEnvironment({
    name: 'NONCE_HEALTH_FLUSH_SUCCESS_PERCENT',
    kind: 'integer',
    unit: 'percent',
    reason: 'Share of flush work that has to succeed.',
  })
  @IsInt()
  @Min(0)
  @Max(100)
  healthFlushSuccessPercent = 50;

  @FromEnvironment({
    name: 'NONCE_HEALTH_DATABASE_LATENCY_MS',
    kind: 'integer',
    unit: 'ms',
    reason: 'Time within which Postgres has to answer.',
  })
  @IsInt()
  @Min(1)
  @Max(60_000)
  healthDatabaseLatencyMs = 500;
}
