/**
 * The highest block that counts as final, or null when none does yet.
 *
 * A tag that has left the genesis block decides alone, even while it stalls: a chain that does not
 * finalize must not be overtaken by counting. Where no tag moves (a dev chain, or a chain without
 * such a tag), a block counts as final under `reorgDepth` others.
 */
export function finalHeight(chain: {
  readonly headNumber: number;
  /** Height of the finality tag; null when the chain has none or knows no such block yet. */
  readonly taggedNumber: number | null;
  readonly reorgDepth: number;
}): number | null {
  if (chain.taggedNumber !== null && chain.taggedNumber > 0) return chain.taggedNumber;
  const height = chain.headNumber - chain.reorgDepth;
  return height >= 0 ? height : null;
}
