import { OPTION_DEFAULTS } from '../option-defaults';
import type { OptionProblems } from '../option-problems';
import type { ResolvedSwitching, SwitchingOptions } from './switching-options';

const ONE_DAY_MS = 86_400_000;
const TEN_MINUTES_MS = 600_000;

/** How the mode is switched, by whom and when, and what health makes of it. */
export function resolveSwitching(
  given: SwitchingOptions,
  problems: OptionProblems,
): ResolvedSwitching {
  const degrade = { ...OPTION_DEFAULTS.degrade, ...given.degrade };
  const modes = { ...OPTION_DEFAULTS.modes, ...given.modes };
  const autoPromote = { ...OPTION_DEFAULTS.autoPromote, ...given.autoPromote };
  const health = { ...OPTION_DEFAULTS.health, ...given.health };
  problems.integer('/degrade/failures', degrade.failures, [1, 1_000]);
  problems.integer('/degrade/windowMs', degrade.windowMs, [100, TEN_MINUTES_MS]);
  problems.integer('/degrade/probeIntervalMs', degrade.probeIntervalMs, [50, TEN_MINUTES_MS]);
  problems.integer('/degrade/returnAfterMs', degrade.returnAfterMs, [100, ONE_DAY_MS]);
  problems.integer('/degrade/maxDwellMs', degrade.maxDwellMs, [100, ONE_DAY_MS]);
  problems.integer('/modes/waitMs', modes.waitMs, [0, TEN_MINUTES_MS]);
  problems.integer('/modes/pollMs', modes.pollMs, [20, 60_000]);
  problems.integer('/modes/drainDeadlineMs', modes.drainDeadlineMs, [0, 3_600_000]);
  problems.integer(
    '/autoPromote/allocationsPerSecond',
    autoPromote.allocationsPerSecond,
    [1, 1_000_000],
  );
  problems.integer('/autoPromote/sustainedMs', autoPromote.sustainedMs, [1_000, ONE_DAY_MS]);
  problems.integer('/health/queueMax', health.queueMax, [1, 100_000_000]);
  problems.integer('/health/queueAgeMs', health.queueAgeMs, [100, ONE_DAY_MS]);
  problems.integer('/health/flushSuccessPercent', health.flushSuccessPercent, [0, 100]);
  problems.integer('/health/databaseLatencyMs', health.databaseLatencyMs, [1, 60_000]);
  return { degrade, modes, autoPromote, health };
}
