import type { PrefetchOptions } from './performance-options';

/** A batch used up sooner was too small, one that lasted longer was too large. */
const TOO_SHORT_MS = 1_000;
const TOO_LONG_MS = 10_000;

/** How many fresh nonces to fetch next, from how long the last ones lasted; null = first fetch. */
export function nextPrefetchSize(
  last: { readonly size: number; readonly lastedMs: number } | null,
  { size: least, max }: Pick<PrefetchOptions, 'size' | 'max'>,
): number {
  if (last === null) return least;
  let size = last.size;
  if (last.lastedMs < TOO_SHORT_MS) size *= 2;
  else if (last.lastedMs > TOO_LONG_MS) size = Math.floor(size / 2);
  return Math.min(max, Math.max(least, size));
}
