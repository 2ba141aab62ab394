/** What differs from the general defaults on a chain; each value can be set per chain all the same. */
export interface KnownChain {
  readonly pollIntervalMs?: number;
  readonly reorgDepth?: number;
}

/** Blocks of 12 s: looks every block time would add up to that much latency, so a third of it. */
const ETHEREUM: KnownChain = { pollIntervalMs: 4_000 };
/** Blocks of 2 s that are undone at most with 64 blocks of 12 s of the chain they settle on. */
const OP_STACK: KnownChain = { reorgDepth: 384 };
/** Mines when told to, and forgets: tests should not wait. */
const DEVELOPMENT: KnownChain = { pollIntervalMs: 500 };

const KNOWN_CHAINS: ReadonlyMap<number, KnownChain> = new Map([
  [1, ETHEREUM],
  [11_155_111, ETHEREUM],
  [10, OP_STACK],
  [8_453, OP_STACK],
  // Blocks of 0.25 s, settled on Ethereum like those of the OP stack.
  [42_161, { pollIntervalMs: 500, reorgDepth: 3_072 }],
  // Blocks of 2 s; 157 of them were undone at once in February 2023.
  [137, { reorgDepth: 256 }],
  // Blocks below 1 s.
  [56, { pollIntervalMs: 1_000 }],
  [1_337, DEVELOPMENT],
  [31_337, DEVELOPMENT],
]);

/** Defaults of a chain by its id; nothing for one that is not known. */
export function knownChain(chainId: number): KnownChain {
  return KNOWN_CHAINS.get(chainId) ?? {};
}
