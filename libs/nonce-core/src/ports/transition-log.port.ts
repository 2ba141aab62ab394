import type { AllocationStage } from '../domain/allocation-state';
import type { Hex } from '../domain/brand';

/** A move of a nonce by a worker, or that it needs a decision. */
export interface TrackedTransition {
  readonly submitter: string;
  readonly nonce: number;
  readonly allocationId: string;
  readonly from: AllocationStage;
  /** The same as `from` when it only needs a decision. */
  readonly to: AllocationStage;
  readonly stuck: boolean;
  readonly txHash: Hex | null;
  readonly blockNumber: number | null;
  readonly reason: string;
}

/** Between two moves: everything before it was read. */
export interface TransitionPlace {
  readonly writtenBy: string;
  readonly id: number;
}

/** The moves that workers made, each written in the commit that made it. */
export interface TransitionLog {
  /**
   * The next moves behind a place, in the order in which they can be seen, and the place behind them;
   * null = none, only the present place. A move of one nonce never comes before an earlier one. Moves
   * wait for the oldest transaction that still writes anywhere in the database server.
   */
  after(place: TransitionPlace | null): Promise<{
    readonly transitions: readonly TrackedTransition[];
    readonly place: TransitionPlace;
  }>;
  /** Forgets some of the oldest moves that are older than this. @returns whether there are more. */
  prune(olderThanMs: number): Promise<boolean>;
}
