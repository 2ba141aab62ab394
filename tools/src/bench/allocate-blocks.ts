import type { NonceComponent } from '@noncekit/nonce-core';
import type { Allocation } from '@noncekit/nonce-core/domain';
import { submitterAt } from './submitters';

const BLOCK_MAX = 250;
const BLOCKS_TOGETHER = 4;
const ONE_HOUR_MS = 3_600_000;

/** `count` nonces, evenly of the first `submitters`, that stay outstanding for as long as a case lasts. */
export async function allocateBlocks(
  nonces: NonceComponent,
  count: number,
  submitters: number,
): Promise<readonly Allocation[]> {
  const each = Math.ceil(count / submitters);
  const blocks = Array.from({ length: submitters }, (_, index) => index).flatMap((index) =>
    Array.from({ length: Math.ceil(each / BLOCK_MAX) }, (__, block) => ({
      submitter: submitterAt(index),
      count: Math.min(BLOCK_MAX, each - block * BLOCK_MAX),
    })),
  );
  const allocations: Allocation[] = [];
  const left = blocks.values();
  const work = async (): Promise<void> => {
    for (const block of left) {
      const granted = await nonces.allocate(block.submitter, {
        count: block.count,
        ttlMs: ONE_HOUR_MS,
      });
      allocations.push(...granted);
    }
  };
  await Promise.all(Array.from({ length: BLOCKS_TOGETHER }, work));
  return allocations;
}
