import { pollUntil, type PollOptions } from '../../../../tools/src/stack/index';

/** Finds a hang; how long something may take is not for tests beside others to say. */
const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * Waits for a condition instead of sleeping; returns its first answer that is neither undefined nor
 * false.
 * @throws Error that names the condition when the time is over.
 */
export function waitFor<T>(
  condition: () => T | Promise<T>,
  options: Omit<PollOptions, 'timeoutMs'> & { readonly timeoutMs?: number },
): Promise<Exclude<T, undefined | false>> {
  return pollUntil(condition, { timeoutMs: DEFAULT_TIMEOUT_MS, ...options });
}
