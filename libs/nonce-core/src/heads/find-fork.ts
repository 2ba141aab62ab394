import type { BlockRef, ChainReader } from '../ports/chain.port';
import type { HeadChain } from './head-chain';

interface Compared {
  readonly known: HeadChain;
  readonly latest: BlockRef;
  /** Blocks that the chain may replace: below them nothing is looked at. */
  readonly reorgDepth: number;
}

/**
 * The highest block that the kept chain and the present one have in common, by looking at ever lower
 * heights. `unproven` when no block is seen where another one was known: a provider that lags says
 * the same. `forgotten` when no kept header is old enough, `too-deep` when the chain replaced more
 * than it may.
 * @throws NonceError NONCE_CHAIN_UNREACHABLE.
 */
export async function findFork(
  reader: Pick<ChainReader, 'block'>,
  { known, latest, reorgDepth }: Compared,
): Promise<number | 'unproven' | 'forgotten' | 'too-deep'> {
  const deepest = known.head.number - reorgDepth;
  let number = Math.min(known.head.number, latest.number);
  for (; number >= Math.max(known.lowest, deepest); number -= 1) {
    const block = number === latest.number ? latest : await reader.block(number);
    if (block === null) return 'unproven';
    if (block.hash === known.hashAt(number)) return number;
  }
  return number < deepest ? 'too-deep' : 'forgotten';
}
