import type { FloorRaise } from '../ports/submitter-store.port';

/** A remembered raise, and what the chain has at its height now; null = it is not that high. */
export interface JudgedRaise extends FloorRaise {
  readonly canonicalHash: string | null;
}

/**
 * Where the issuing floor falls to: by whole raises from the highest, as long as each was seen in a
 * block that another one has replaced, and never below what the chain shows. null = nothing is
 * proven: a block that still stands, or that nobody has, says that the reader is behind (S15).
 */
export function decideLoweredFloor(
  floor: number,
  latestCount: number,
  raises: readonly JudgedRaise[],
): { readonly to: number; readonly replaced: readonly number[] } | null {
  const replaced: number[] = [];
  let to = floor;
  for (const raise of raises) {
    if (to <= latestCount) break;
    const isProven = raise.canonicalHash !== null && raise.canonicalHash !== raise.block.hash;
    if (raise.count !== to || !isProven) break;
    replaced.push(raise.count);
    to = raise.previousCount;
  }
  return replaced.length === 0 ? null : { to: Math.max(to, latestCount), replaced };
}
