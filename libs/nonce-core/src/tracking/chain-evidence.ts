import type { Hex } from '../domain/brand';
import { finalHeight } from '../domain/finality';
import type { ConfiguredChain, ReceiptLookup, TransactionLookup } from '../ports/chain.port';
import type { TrackedAllocation } from '../ports/tracking-store.port';

/** How high the chain is; read once for all rows of one look. */
export interface ChainHeights {
  readonly headNumber: number;
  /** Highest block that counts as final; null while none does. */
  readonly finalNumber: number | null;
}

/** Everything one decision about one nonce is made from. */
export interface ChainEvidence extends ChainHeights {
  /** One answer per known hash of the row. */
  readonly receipts: ReadonlyMap<Hex, ReceiptLookup>;
  /** Hash of the canonical block at each height that matters; null where the chain has none. */
  readonly canonical: ReadonlyMap<number, Hex | null>;
  /** Whether a pool still holds the last hash; null while nobody asked. */
  readonly pool: TransactionLookup | null;
  /** The account's count now; null while nobody asked. */
  readonly latestCount: number | null;
}

/** @throws NonceError NONCE_CHAIN_UNREACHABLE when the head cannot be read. */
export async function readHeights({ reader, profile }: ConfiguredChain): Promise<ChainHeights> {
  const tag = profile.finalityTag;
  const [head, tagged] = await Promise.all([
    reader.block('latest'),
    tag === 'none' ? null : reader.block(tag),
  ]);
  const headNumber = head?.number ?? 0;
  const finalNumber = finalHeight({
    headNumber,
    taggedNumber: tagged?.number ?? null,
    reorgDepth: profile.reorgDepth,
  });
  return { headNumber, finalNumber };
}

/**
 * Receipts of all known hashes of the rows in one batch, then the canonical blocks at the heights
 * that the receipts and the rows name.
 * @throws NonceError NONCE_CHAIN_UNREACHABLE when a block cannot be read.
 */
export async function gatherEvidence(
  { reader }: ConfiguredChain,
  heights: ChainHeights,
  rows: readonly TrackedAllocation[],
): Promise<(row: TrackedAllocation) => ChainEvidence> {
  const hashes = [...new Set(rows.flatMap((row) => row.hashes))];
  const receipts: ReadonlyMap<Hex, ReceiptLookup> =
    hashes.length === 0 ? new Map<Hex, ReceiptLookup>() : await reader.receipts(hashes);
  const wanted = new Set<number>();
  for (const lookup of receipts.values())
    if (lookup.kind === 'found') wanted.add(lookup.blockNumber);
  for (const row of rows) if (row.blockNumber !== null) wanted.add(row.blockNumber);
  const blocks = await Promise.all(
    [...wanted].map(
      async (number) => [number, (await reader.block(number))?.hash ?? null] as const,
    ),
  );
  const canonical: ReadonlyMap<number, Hex | null> = new Map(blocks);
  return (row) => ({
    ...heights,
    receipts: new Map(row.hashes.map((hash) => [hash, receipts.get(hash) ?? MISSING])),
    canonical,
    pool: null,
    latestCount: null,
  });
}

const MISSING: ReceiptLookup = {
  kind: 'unavailable',
  cause: 'the reader gave no answer',
  trouble: 'broken',
};
