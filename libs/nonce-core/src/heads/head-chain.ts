import type { Hex } from '../domain/brand';
import type { BlockRef } from '../ports/chain.port';

/**
 * Headers kept per chain: above the 64 blocks after which the slowest finality tag moves, and an hour
 * of two-second blocks to catch up with after an outage.
 */
export const HEADERS_KEPT = 1_024;

/** The newest headers of one chain, each the parent of the next. Immutable. */
export class HeadChain {
  private constructor(
    readonly head: BlockRef,
    readonly lowest: number,
    private readonly hashes: ReadonlyMap<number, Hex>,
  ) {}

  /** Of headers from the head downwards; what does not link up any more is left out. */
  static of(descending: readonly BlockRef[]): HeadChain | null {
    const [head] = descending;
    if (head === undefined) return null;
    const hashes = new Map<number, Hex>();
    let expected: BlockRef = { ...head, parentHash: head.hash, number: head.number + 1 };
    for (const header of descending) {
      if (header.hash !== expected.parentHash || header.number !== expected.number - 1) break;
      hashes.set(header.number, header.hash);
      expected = header;
    }
    return new HeadChain(head, expected.number, hashes);
  }

  /** Hash of the block at a height; undefined outside of what is kept. */
  hashAt(number: number): Hex | undefined {
    return this.hashes.get(number);
  }

  /** Highest block that both chains have; -1 when none is kept by both. */
  forkWith(other: HeadChain): number {
    const highest = Math.min(this.head.number, other.head.number);
    for (let number = highest; number >= Math.max(this.lowest, other.lowest); number -= 1) {
      if (this.hashAt(number) === other.hashAt(number)) return number;
    }
    return -1;
  }

  /** The kept blocks above that height, ascending. */
  above(fork: number): readonly BlockRef[] {
    const blocks: BlockRef[] = [];
    for (let number = Math.max(fork, this.lowest) + 1; number < this.head.number; number += 1) {
      const hash = this.hashes.get(number);
      const parentHash = this.hashes.get(number - 1);
      if (hash !== undefined && parentHash !== undefined) blocks.push({ number, hash, parentHash });
    }
    return this.head.number > fork ? [...blocks, this.head] : blocks;
  }

  /** With these blocks, which link up, on top of the one at `fork`; whatever was above it is gone. */
  extended(fork: number, blocks: readonly BlockRef[]): HeadChain {
    const head = blocks.at(-1);
    if (head === undefined) return this;
    const lowest = Math.max(this.lowest, head.number - HEADERS_KEPT + 1);
    const hashes = new Map<number, Hex>();
    for (const [number, hash] of this.hashes) {
      if (number >= lowest && number <= fork) hashes.set(number, hash);
    }
    for (const { number, hash } of blocks) if (number >= lowest) hashes.set(number, hash);
    const { number, hash, parentHash } = head;
    return new HeadChain({ number, hash, parentHash }, lowest, hashes);
  }
}

/** Whether each block is the parent of the next, and `parentHash` the parent of the first. */
export function linksUp(parentHash: Hex, blocks: readonly BlockRef[]): boolean {
  let parent = parentHash;
  for (const block of blocks) {
    if (block.parentHash !== parent) return false;
    parent = block.hash;
  }
  return true;
}
