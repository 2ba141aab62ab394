/** No wait between two tries is longer, however many there were. */
const MAX_BACKOFF_MS = 5_000;

/** Doubles with each try; half of it is random, so that many waiters do not come back together. */
export function backoffMs(firstMs: number, attempt: number): number {
  const full = Math.min(MAX_BACKOFF_MS, firstMs * 2 ** (attempt - 1));
  return full / 2 + (Math.random() * full) / 2;
}
