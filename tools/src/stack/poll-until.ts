import { setTimeout as delay } from 'node:timers/promises';

export interface PollOptions {
  readonly timeoutMs: number;
  /** What is being waited for, as it should read in the error: "Redis to answer". */
  readonly describe: string;
  readonly everyMs?: number;
}

/**
 * Asks until the answer is neither undefined nor false, and returns it.
 * @throws Error once `timeoutMs` has passed; an error of the condition itself ends the wait at once.
 */
export async function pollUntil<T>(
  condition: () => T | Promise<T>,
  options: PollOptions,
): Promise<Exclude<T, undefined | false>> {
  const deadlineMs = performance.now() + options.timeoutMs;
  for (;;) {
    const answer = await condition();
    if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>;
    if (performance.now() >= deadlineMs) {
      throw new Error(`waited ${String(options.timeoutMs)} ms in vain for ${options.describe}`);
    }
    await delay(options.everyMs ?? 20);
  }
}
