import type { Hex } from '../domain/brand';
import type { ChainId, Submitter } from '../domain/submitter';
import type { BlockRef } from './chain.port';

/** A step of one chain's head, and what it makes decidable. */
export interface HeadAdvance {
  readonly chainId: ChainId;
  /** Hash of the head that this step begins at; null for the first one. */
  readonly expected: Hex | null;
  /** Highest block that stays. Lower than the head before when blocks were replaced. */
  readonly fork: number;
  /** Ascending, at least one; the last one is the new head. */
  readonly headers: readonly BlockRef[];
  /** Hashes that these blocks executed. */
  readonly transactions: readonly Hex[];
  /** Blocks up to here have the confirmations that the chain's profile asks for. */
  readonly confirmedNumber: number;
  /** Blocks up to here are final; null while none is. */
  readonly finalNumber: number | null;
}

/** The followed heads of all chains: shared by all workers, found again after a restart. */
export interface HeadStore {
  /** The kept headers from the head downwards, each the parent of the one before; none at first. */
  load(chainId: ChainId): Promise<readonly BlockRef[]>;
  /**
   * Records the step and wakes the rows whose transactions these blocks executed, replaced, confirmed
   * or made final, in one transaction. False when another worker was there before: nothing happened.
   */
  advance(step: HeadAdvance): Promise<boolean>;
  /** Pauses all submitters of a chain whose final blocks were replaced. @returns those that were not paused before. */
  freeze(chainId: ChainId, reason: string): Promise<readonly Submitter[]>;
}
