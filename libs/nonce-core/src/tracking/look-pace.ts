/** Longest wait between two looks at a nonce that is still open. */
const SLOWEST_LOOK_MS = 60_000;
/** Each wait is this part of the time already spent without news, so waits grow like a power. */
const SHARE_OF_AGE = 0.25;

/**
 * When to look again at something that did not change: about one block time at first, less and less
 * often afterwards. The pace follows from the row's age alone, so no attempt has to be counted and
 * a restarted worker goes on at the same pace.
 */
export function nextLookMs(unchangedMs: number, pollIntervalMs: number): number {
  const wanted = unchangedMs * SHARE_OF_AGE;
  return Math.round(Math.min(SLOWEST_LOOK_MS, Math.max(pollIntervalMs, wanted)));
}

/** When to look again at a block that becomes final only after `blocks` others. */
export function lookAfterBlocksMs(blocks: number, pollIntervalMs: number): number {
  // Half the expected time: block times vary, and a look too early costs one request.
  const wanted = (Math.max(1, blocks) * pollIntervalMs) / 2;
  return Math.round(Math.min(SLOWEST_LOOK_MS, Math.max(pollIntervalMs, wanted)));
}
