import { OPTION_DEFAULTS } from './option-defaults';
import type { OptionProblems } from './option-problems';

/** How long what nothing depends on any more is kept. */
export interface RetentionOptions {
  /** Told moves of transactions: 60,000…31,536,000,000, a week by default. */
  readonly transitionsMs?: number;
}

const MINUTE_MS = 60_000;
const YEAR_MS = 31_536_000_000;

export function resolveRetention(
  options: RetentionOptions | undefined,
  problems: OptionProblems,
): Required<RetentionOptions> {
  const retention = { ...OPTION_DEFAULTS.retention, ...options };
  problems.integer('/retention/transitionsMs', retention.transitionsMs, [MINUTE_MS, YEAR_MS]);
  return retention;
}
