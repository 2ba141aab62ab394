import type { Submitter } from '../domain/submitter';
import type { BlockRef, ChainReader } from '../ports/chain.port';

interface Sighting {
  /** The count was at least `count` in this block. */
  readonly block: BlockRef;
  readonly count: number;
}

/** Accounts remembered; the one seen longest ago is forgotten first, which only delays its floor. */
const SIGHTINGS_MAX = 10_000;

/**
 * Finalized counts of chains whose finality tag does not move. A reader tells counts at tags only,
 * so a count seen at the head is kept together with that block, and counts as final once the block
 * lies under the reorg depth and is still the canonical one at its height.
 *
 * Not durable: after a restart the floor stands still until one more reorg depth has passed.
 */
export class DeepCounts {
  private readonly sightings = new Map<Submitter, Sighting>();

  /** Remembers a count; `block` was read after it, so the count holds there too. */
  see(submitter: Submitter, sighting: Sighting): void {
    if (this.sightings.has(submitter)) return;
    if (this.sightings.size >= SIGHTINGS_MAX) {
      for (const oldest of this.sightings.keys()) {
        this.sightings.delete(oldest);
        break;
      }
    }
    this.sightings.set(submitter, sighting);
  }

  /**
   * The count that became final since, or null. Each is told once; then another is awaited.
   * @throws NonceError NONCE_CHAIN_UNREACHABLE.
   */
  async settle(
    submitter: Submitter,
    reader: ChainReader,
    finalNumber: number | null,
  ): Promise<number | null> {
    const waiting = this.sightings.get(submitter);
    if (waiting === undefined || finalNumber === null) return null;
    if (waiting.block.number > finalNumber) return null;
    const canonical = await reader.block(waiting.block.number);
    this.sightings.delete(submitter);
    return canonical?.hash === waiting.block.hash ? waiting.count : null;
  }
}
