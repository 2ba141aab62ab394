import { IsBoolean, IsIn, IsInt, IsOptional, Matches, Max, Min } from 'class-validator';
import { LASTING_MODES, type LastingMode } from '../../domain/engine-mode';
import type { FieldProblem } from '../../domain/errors/nonce-error';
import { INTENT_POLICIES, type IntentPolicy } from '../../ports/fast-epoch-store.port';
import { prefetchProblems } from '../prefetch-problems';
import { FromEnvironment } from './setting';
import { AlarmEnvironment } from './alarm-environment';

/** Which mode issues nonces, and what the one that issues from Redis can be told. */
export class ModeEnvironment extends AlarmEnvironment {
  @FromEnvironment({
    name: 'NONCE_INITIAL_MODE',
    kind: 'text',
    reason:
      'Mode of a new installation; from its first boot on the mode in Postgres counts, which `noncectl mode switch` changes.',
  })
  @IsIn(LASTING_MODES)
  initialMode: LastingMode = 'RELIABLE';

  @FromEnvironment({
    name: 'NONCE_PERFORMANCE_STRATEGY',
    kind: 'text',
    reason: 'How PERFORMANCE issues nonces; `redis` is the one this version has.',
  })
  @IsIn(['redis'], { message: '$property must be redis: this version has no other strategy' })
  performanceStrategy = 'redis';

  @FromEnvironment({
    name: 'NONCE_PERFORMANCE_INTENTS',
    kind: 'text',
    reason:
      '`strict` records in Postgres before bytes leave; `relaxed` does not, and quarantines what Redis loses. The same in all processes.',
  })
  @IsIn(INTENT_POLICIES)
  performanceIntents: IntentPolicy = 'strict';

  @FromEnvironment({
    name: 'NONCE_PREFETCH_SIZE',
    kind: 'integer',
    unit: 'nonces',
    reason:
      'Fresh nonces Postgres hands to Redis at once; grows by itself up to NONCE_PREFETCH_MAX.',
  })
  @IsInt()
  @Min(1)
  @Max(65_536)
  prefetchSize = 32;

  @FromEnvironment({
    name: 'NONCE_PREFETCH_LOW_WATER',
    kind: 'integer',
    unit: 'nonces',
    reason:
      'Fewer fresh nonces left than this fetch the next ones ahead; below NONCE_PREFETCH_SIZE.',
  })
  @IsInt()
  @Min(0)
  @Max(65_535)
  prefetchLowWater = 8;

  @FromEnvironment({
    name: 'NONCE_PREFETCH_MAX',
    kind: 'integer',
    unit: 'nonces',
    reason: 'Most fresh nonces handed to Redis at once for a busy submitter.',
  })
  @IsInt()
  @Min(1)
  @Max(65_536)
  prefetchMax = 1_024;

  @FromEnvironment({
    name: 'NONCE_PREFETCH_IDLE_CLOSE_MS',
    kind: 'integer',
    unit: 'ms',
    reason: 'Time without an allocation after which unused nonces go back to Postgres.',
  })
  @IsInt()
  @Min(1_000)
  @Max(86_400_000)
  prefetchIdleCloseMs = 60_000;

  @FromEnvironment({
    name: 'NONCE_FLUSH_BATCH_MAX',
    kind: 'integer',
    unit: 'events',
    reason: 'Events of Redis one transaction carries to Postgres at most.',
  })
  @IsInt()
  @Min(1)
  @Max(10_000)
  flushBatchMax = 500;

  @FromEnvironment({
    name: 'NONCE_FLUSH_INTERVAL_MS',
    kind: 'integer',
    unit: 'ms',
    reason:
      'Time between looks for events by a worker; a full batch is followed by the next at once.',
  })
  @IsInt()
  @Min(10)
  @Max(60_000)
  flushIntervalMs = 200;

  @FromEnvironment({
    name: 'NONCE_FLUSH_STREAM_MAX',
    kind: 'integer',
    unit: 'events',
    reason:
      'Events that may wait per shard; beyond it allocations are refused, never events dropped.',
  })
  @IsInt()
  @Min(100)
  @Max(10_000_000)
  flushStreamMax = 100_000;

  @FromEnvironment({
    name: 'NONCE_FLUSH_RETRIES',
    kind: 'integer',
    unit: 'tries',
    reason: 'How often a failed batch is tried again before it counts as a failure to report.',
  })
  @IsInt()
  @Min(0)
  @Max(100)
  flushRetries = 3;

  @FromEnvironment({
    name: 'NONCE_FLUSH_MAX_DELIVERIES',
    kind: 'integer',
    unit: 'deliveries',
    reason: 'Deliveries after which an event that cannot be applied is kept as a dead letter.',
  })
  @IsInt()
  @Min(1)
  @Max(1_000)
  flushMaxDeliveries = 5;

  @FromEnvironment({
    name: 'NONCE_FLUSH_SYNC_WRITE_FALLBACK',
    kind: 'boolean',
    reason: 'Where the queue of events is full, flushes it within the call instead of refusing.',
  })
  @IsBoolean()
  flushSyncWriteFallback = false;

  @FromEnvironment({
    name: 'NONCE_CONTINUITY_INTERVAL_MS',
    kind: 'integer',
    unit: 'ms',
    reason: 'Time between checks that the database was not set back to an older state.',
  })
  @IsInt()
  @Min(100)
  @Max(600_000)
  continuityIntervalMs = 5_000;

  @FromEnvironment({
    name: 'NONCE_WITNESS_DIR',
    kind: 'text',
    reason:
      'Folder of this node, on a disk that outlives the process, for what proves such a set-back; absent = Redis alone keeps it.',
  })
  @IsOptional()
  @Matches(/^\S.*$/)
  witnessDir?: string;

  @FromEnvironment({
    name: 'NONCE_RECOVERY_AUTO',
    kind: 'boolean',
    reason:
      'Whether everything is compared with witnesses and chains when the database lost commits, when alignments keep failing, or when a counter is far behind its chain.',
  })
  @IsBoolean()
  recoveryAuto = true;

  @FromEnvironment({
    name: 'NONCE_RECOVERY_FLOOR_LAG_THRESHOLD',
    kind: 'integer',
    reason:
      'Nonces by which a counter may be behind its chain before everything is compared; a window of foreign use is no accident.',
  })
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  recoveryFloorLagThreshold = 64;

  protected crossCheckMode(): readonly FieldProblem[] {
    const problems: FieldProblem[] = [];
    if (this.initialMode === 'PERFORMANCE' && !this.hasRedis()) {
      const detail =
        'PERFORMANCE issues from Redis: set NONCE_REDIS_URL (or cluster nodes, or sentinels) and leave NONCE_REDIS_ENABLED true, or choose RELIABLE';
      problems.push({ pointer: '/NONCE_INITIAL_MODE', detail });
    }
    const prefetch = {
      size: this.prefetchSize,
      lowWater: this.prefetchLowWater,
      max: this.prefetchMax,
    };
    for (const { field, detail } of prefetchProblems(prefetch)) {
      const name = field === 'size' ? 'NONCE_PREFETCH_SIZE' : 'NONCE_PREFETCH_LOW_WATER';
      problems.push({ pointer: `/${name}`, detail });
    }
    return problems;
  }
}
