import type { Submitter } from '../domain/submitter';
import type { ChainReader } from '../ports/chain.port';
import type { AlignmentStore, LoweredFloor } from '../ports/submitter-store.port';
import { decideLoweredFloor, type JudgedRaise } from './decide-lowered-floor';

/** Looks in a row that have to show the same before the floor falls. */
export const REORG_LOOKS = 3;
/** Submitters whose looks are remembered; one that is forgotten is looked at anew. */
const LOOKS_MAX = 10_000;
/** Raises looked up on the chain per look; the rest follows at the next one. */
const RAISES_MAX = 8;

interface Looks {
  readonly shown: string;
  readonly count: number;
}

/**
 * Lowers the issuing floor after a reorg that is proven: the block in which a raise was seen has been
 * replaced at its height, and several looks in a row showed the same block and the same count. A lower
 * count alone, from a reader that lags or lies, never comes that far.
 *
 * Not durable: after a restart the looks are counted anew, which only delays the fall.
 */
export class ReorgedFloor {
  private readonly looks = new Map<Submitter, Looks>();

  constructor(private readonly store: Pick<AlignmentStore, 'raisesAbove' | 'lower'>) {}

  /** The chain shows the known floor again, or more. */
  forget(submitter: Submitter): void {
    this.looks.delete(submitter);
  }

  /**
   * What became of the floor; null while nothing is proven.
   * @throws NonceError NONCE_CHAIN_UNREACHABLE.
   */
  async look(
    submitter: Submitter,
    reader: ChainReader,
    seen: { readonly floor: number; readonly latestCount: number },
  ): Promise<LoweredFloor | null> {
    const raises = await this.store.raisesAbove(submitter, seen.latestCount);
    const judged: JudgedRaise[] = [];
    for (const raise of raises.slice(0, RAISES_MAX)) {
      const canonical = await reader.block(raise.block.number);
      judged.push({ ...raise, canonicalHash: canonical?.hash ?? null });
    }
    const decision = decideLoweredFloor(seen.floor, seen.latestCount, judged);
    if (decision === null) {
      this.forget(submitter);
      return null;
    }
    const hashes = judged.map(({ canonicalHash }) => canonicalHash ?? '');
    const shown = [seen.floor, seen.latestCount, ...hashes].join(' ');
    if (this.agreeing(submitter, shown) < REORG_LOOKS) return null;
    this.forget(submitter);
    return this.store.lower({ submitter, seen: seen.floor, ...decision });
  }

  private agreeing(submitter: Submitter, shown: string): number {
    const before = this.looks.get(submitter);
    const count = before?.shown === shown ? before.count + 1 : 1;
    if (before === undefined && this.looks.size >= LOOKS_MAX) {
      for (const oldest of this.looks.keys()) {
        this.looks.delete(oldest);
        break;
      }
    }
    this.looks.set(submitter, { shown, count });
    return count;
  }
}
