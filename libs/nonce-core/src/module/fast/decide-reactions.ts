import type { EngineMode } from '../../domain/engine-mode';
import type { ResolvedSwitching } from '../modes/switching-options';

/** What is known of the parts that have thresholds; null = not known now. */
export interface HealthFigures {
  readonly mode: EngineMode;
  readonly database: { readonly up: boolean; readonly latencyMs: number | null };
  /** null = none is configured. */
  readonly redis: { readonly up: boolean; readonly openShards: number } | null;
  readonly queued: number | null;
  readonly oldestEventAgeMs: number | null;
  /** null in a process that has flushed nothing. */
  readonly flushSuccessPercent: number | null;
}

export type HealthThresholds = Pick<ResolvedSwitching, 'health' | 'degrade'>;

/** One part of health, with what this program, or somebody, does about it. */
export interface Reaction {
  readonly status: 'up' | 'degraded' | 'down' | 'unknown' | 'unused';
  readonly value: number | null;
  readonly threshold: number;
  readonly reaction: string;
}

const NONE = 'none';

export type Reactions = Readonly<Record<'redis' | 'queue' | 'flush' | 'database', Reaction>>;

/** None of these takes a process out of service but a database that is down: the rest is served. */
export function decideReactions(figures: HealthFigures, thresholds: HealthThresholds): Reactions {
  return {
    redis: redis(figures, thresholds),
    queue: queue(figures, thresholds),
    flush: flush(figures, thresholds),
    database: database(figures, thresholds),
  };
}

/** Counted in shards that are not asked any more; one is enough. */
function redis({ redis: found, mode }: HealthFigures, { degrade }: HealthThresholds): Reaction {
  if (found === null) return { status: 'unused', value: null, threshold: 1, reaction: NONE };
  const { up, openShards: value } = found;
  const fails = !up || value > 0;
  const status = !up ? 'down' : fails ? 'degraded' : 'up';
  const reaction =
    fails || mode === 'DEGRADED' ? redisReaction(mode, degrade.onRedisFailure) : NONE;
  return { status, value, threshold: 1, reaction };
}

function redisReaction(mode: EngineMode, degrades: boolean): string {
  if (mode === 'DEGRADED') return 'Postgres issues until Redis was clean for long enough';
  if (mode !== 'PERFORMANCE') return 'Postgres issues, without the lock of Redis';
  return degrades ? 'the mode becomes DEGRADED' : 'allocations are refused until it answers';
}

function queue(
  { queued, oldestEventAgeMs }: HealthFigures,
  { health }: HealthThresholds,
): Reaction {
  const threshold = health.queueMax;
  if (queued === null) return { status: 'unknown', value: null, threshold, reaction: NONE };
  const isLong = queued > threshold || (oldestEventAgeMs ?? 0) > health.queueAgeMs;
  if (!isLong) return { status: 'up', value: queued, threshold, reaction: NONE };
  const reaction = 'start flush workers: a shard whose stream is full refuses allocations';
  return { status: 'degraded', value: queued, threshold, reaction };
}

function flush(
  { flushSuccessPercent: value }: HealthFigures,
  { health }: HealthThresholds,
): Reaction {
  const threshold = health.flushSuccessPercent;
  if (value === null) return { status: 'unknown', value, threshold, reaction: NONE };
  if (value >= threshold) return { status: 'up', value, threshold, reaction: NONE };
  return { status: 'degraded', value, threshold, reaction: 'failed batches are tried again' };
}

function database({ database: found }: HealthFigures, { health }: HealthThresholds): Reaction {
  const { up, latencyMs: value } = found;
  const threshold = health.databaseLatencyMs;
  if (!up) {
    return {
      status: 'down',
      value,
      threshold,
      reaction: 'not ready: what is not recorded is refused',
    };
  }
  if ((value ?? 0) <= threshold) return { status: 'up', value, threshold, reaction: NONE };
  return { status: 'degraded', value, threshold, reaction: 'callers wait for their statements' };
}
