import { TRACKING_DEFAULTS, type TrackingSettings } from '../../tracking/tracking-deps';
import type { OptionProblems } from '../option-problems';

const ONE_DAY_MS = 86_400_000;

/** How the periodic work treats transactions that make no progress. */
export interface TrackingOptions {
  /** Time without any news after which a nonce is reported as stuck: 1,000…86,400,000, 600,000 by default. */
  readonly stuckAfterMs?: number;
  /** How often the bytes of one nonce leave again. */
  readonly resend?: {
    /** 1…600, 6 by default. */
    readonly perMinute?: number;
    /** 1…1,000,000, 20,000 by default; then somebody has to decide. */
    readonly total?: number;
  };
}

export type ResolvedTracking = Pick<TrackingSettings, 'stuckAfterMs' | 'attempts'>;

export function resolveTracking(
  options: TrackingOptions | undefined,
  problems: OptionProblems,
): ResolvedTracking {
  const { stuckAfterMs = TRACKING_DEFAULTS.stuckAfterMs, resend } = options ?? {};
  const { perMinute, total } = { ...TRACKING_DEFAULTS.attempts, ...resend };
  problems.integer('/tracking/stuckAfterMs', stuckAfterMs, [1_000, ONE_DAY_MS]);
  problems.integer('/tracking/resend/perMinute', perMinute, [1, 600]);
  problems.integer('/tracking/resend/total', total, [1, 1_000_000]);
  return { stuckAfterMs, attempts: { perMinute, total } };
}
