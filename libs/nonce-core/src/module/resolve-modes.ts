import { LASTING_MODES } from '../domain/engine-mode';
import { INTENT_POLICIES } from '../ports/fast-epoch-store.port';
import { OPTION_DEFAULTS } from './option-defaults';
import type { OptionProblems } from './option-problems';
import type { NonceModuleOptions, ResolvedNonceOptions } from './options';
import { prefetchProblems } from './prefetch-problems';

type ResolvedModes = Pick<ResolvedNonceOptions, 'mode' | 'performance' | 'flush' | 'recovery'>;

const ONE_DAY_MS = 86_400_000;
const TEN_MINUTES_MS = 600_000;
/** More would be parked in Redis for one submitter than any pool of transactions keeps. */
const MAX_PREFETCH = 65_536;

/** Which mode issues nonces, and everything that only the one that issues from Redis reads. */
export function resolveModes(options: NonceModuleOptions, problems: OptionProblems): ResolvedModes {
  const mode = options.mode ?? OPTION_DEFAULTS.mode;
  problems.oneOf('/mode', mode, LASTING_MODES);
  if (mode === 'PERFORMANCE' && options.redis?.enabled === false) {
    problems.add('/mode', 'PERFORMANCE issues from Redis, which redis.enabled switches off');
  }
  const { shards } = { ...OPTION_DEFAULTS.redis, ...options.redis };
  problems.integer('/redis/shards', shards, [1, 1_024]);
  return {
    mode,
    performance: resolvePerformance(options.performance, problems),
    flush: resolveFlush(options.flush, problems),
    recovery: resolveRecovery(options.recovery, problems),
  };
}

function resolvePerformance(
  given: NonceModuleOptions['performance'],
  problems: OptionProblems,
): ResolvedModes['performance'] {
  const { strategy, intents } = { ...OPTION_DEFAULTS.performance, ...given };
  const prefetch = { ...OPTION_DEFAULTS.performance.prefetch, ...given?.prefetch };
  const at = '/performance/prefetch';
  if (strategy !== OPTION_DEFAULTS.performance.strategy) {
    problems.add('/performance/strategy', `${strategy} is not in this version, only redis is`);
  }
  problems.oneOf('/performance/intents', intents, INTENT_POLICIES);
  problems.integer(`${at}/size`, prefetch.size, [1, MAX_PREFETCH]);
  problems.integer(`${at}/lowWater`, prefetch.lowWater, [0, MAX_PREFETCH - 1]);
  problems.integer(`${at}/max`, prefetch.max, [1, MAX_PREFETCH]);
  problems.integer(`${at}/idleCloseMs`, prefetch.idleCloseMs, [1_000, ONE_DAY_MS]);
  for (const { field, detail } of prefetchProblems(prefetch)) {
    problems.add(`${at}/${field}`, detail);
  }
  return { intents, prefetch };
}

function resolveFlush(
  given: NonceModuleOptions['flush'],
  problems: OptionProblems,
): ResolvedModes['flush'] {
  const flush = { ...OPTION_DEFAULTS.flush, ...given };
  problems.integer('/flush/batchMax', flush.batchMax, [1, 10_000]);
  problems.integer('/flush/intervalMs', flush.intervalMs, [10, 60_000]);
  problems.integer('/flush/streamMax', flush.streamMax, [100, 10_000_000]);
  problems.integer('/flush/retries', flush.retries, [0, 100]);
  problems.integer('/flush/maxDeliveries', flush.maxDeliveries, [1, 1_000]);
  return flush;
}

const MAX_FLOOR_LAG = 1_000_000;

function resolveRecovery(
  given: NonceModuleOptions['recovery'],
  problems: OptionProblems,
): ResolvedModes['recovery'] {
  const { continuityIntervalMs, auto, floorLagThreshold } = {
    ...OPTION_DEFAULTS.recovery,
    ...given,
  };
  problems.integer('/recovery/continuityIntervalMs', continuityIntervalMs, [100, TEN_MINUTES_MS]);
  problems.integer('/recovery/floorLagThreshold', floorLagThreshold, [1, MAX_FLOOR_LAG]);
  const witnessDir = given?.witnessDir ?? null;
  if (witnessDir === '') problems.add('/recovery/witnessDir', 'must name a folder');
  return { continuityIntervalMs, witnessDir, auto, floorLagThreshold };
}
