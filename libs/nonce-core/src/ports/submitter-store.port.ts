import type { Allocation } from '../domain/allocation';
import type { AllocationStage, AllocationStatus } from '../domain/allocation-state';
import type { Exposure } from '../domain/allocation';
import type { Hex } from '../domain/brand';
import type { Nonce } from '../domain/nonce';
import type { Submitter } from '../domain/submitter';
import type { SubmitterView } from '../domain/submitter-view';

export interface SubmitterSettings {
  readonly label?: string | null;
  /** 0 = no limit; null = the chain's default. */
  readonly maxInFlight?: number | null;
  readonly ttlMs?: number | null;
  readonly exposure?: Exposure | null;
}

export interface SubmitterDefaults {
  readonly ttlMs: number | null;
  readonly exposure: Exposure | null;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

export interface NonceHistoryEntry {
  readonly allocationId: string;
  readonly stage: AllocationStage;
  readonly cause: string;
  readonly at: Date;
}

/** Reads and settings for operators. Never decides an allocation. */
export interface SubmitterStore {
  /** null when the submitter was never used. */
  view(submitter: Submitter, defaultMaxInFlight: number): Promise<SubmitterView | null>;
  list(query: {
    readonly search?: string;
    readonly limit: number;
    readonly cursor?: string;
    readonly defaultMaxInFlight: number;
  }): Promise<Page<SubmitterView>>;
  nonces(query: {
    readonly submitter: Submitter;
    readonly status?: AllocationStatus;
    readonly stage?: AllocationStage;
    readonly from?: number;
    readonly to?: number;
    readonly limit: number;
  }): Promise<readonly Allocation[]>;
  nonce(
    submitter: Submitter,
    nonce: Nonce,
  ): Promise<{ allocation: Allocation; history: readonly NonceHistoryEntry[] } | null>;
  /** Own settings of the submitter; null when it was never used. One row by its key. */
  defaults(submitter: Submitter): Promise<SubmitterDefaults | null>;
  updateSettings(submitter: Submitter, settings: SubmitterSettings): Promise<boolean>;
  /** False when the submitter was never used. Pausing stops allocations, nothing else. */
  setPaused(submitter: Submitter, paused: boolean, reason: string): Promise<boolean>;
  /** Submitters with open nonces on these chains, least recently aligned first. */
  dueForAlignment(query: {
    readonly chainIds: readonly number[];
    readonly olderThanMs: number;
    readonly limit: number;
  }): Promise<readonly Submitter[]>;
}

export interface ChainObservation {
  readonly submitter: Submitter;
  readonly latestCount: number;
  readonly finalizedCount: number | null;
  readonly genesisHash: Hex;
  /** Block at which the latest count was read; without it the raise cannot be taken back. */
  readonly block?: { readonly number: number; readonly hash: Hex };
  /** Height below which no block is undone; null = not known. */
  readonly deepNumber?: number | null;
  /** Whether the account delegates to code (EIP-7702). */
  readonly delegated?: boolean;
}

export interface AlignmentReport {
  readonly submitter: Submitter;
  /** Issuing floor after the alignment. */
  readonly chainLatest: number;
  readonly lastChainNonce: number | null;
  /** Fresh nonces skipped because somebody else used the account. */
  readonly foreignUse: number;
  /** Unexposed holders at consumed nonces that were fenced. */
  readonly fenced: number;
  /** Rows that became final by count. */
  readonly finalized: number;
  /** Rows at consumed nonces that may have been sent and now need a decision. */
  readonly stuck?: number;
  /** By how much the observed count was below the known one; nothing follows from it (S15). */
  readonly lowered?: number;
  /** The floor fell to `chainLatest`, because the blocks that had raised it were replaced. */
  readonly reorged?: boolean;
}

/** A raise of the issuing floor, and the block at which the count was read. */
export interface FloorRaise {
  readonly count: number;
  readonly previousCount: number;
  readonly block: { readonly number: number; readonly hash: Hex };
}

export interface LoweredFloor {
  /** `fast`: a fast epoch rules. `final`: below the finalized floor, or too far at once. `stale`: not the floor seen. */
  readonly verdict: 'lowered' | 'stale' | 'fast' | 'final';
  readonly chainLatest: number;
  /** Numbers that had been skipped and may be issued again. */
  readonly reopened: number;
}

/** The only writer of floors. Floors rise; a lower count alone changes nothing. */
export interface AlignmentStore {
  /** @throws NonceError NONCE_CHAIN_RESET when the genesis differs from the remembered one. */
  align(observation: ChainObservation): Promise<AlignmentReport | null>;
  /** What `align` would reply now; changes nothing. @throws NonceError as `align`. */
  foresee(observation: ChainObservation): Promise<AlignmentReport | null>;
  /** Remembered raises above a count, highest first. */
  raisesAbove(submitter: Submitter, count: number): Promise<readonly FloorRaise[]>;
  /**
   * Takes back raises whose blocks were proven to be replaced, if the floor still is `seen`.
   * null when the submitter was never used.
   */
  lower(proof: {
    readonly submitter: Submitter;
    readonly seen: number;
    readonly to: number;
    /** Counts of the replaced raises. */
    readonly replaced: readonly number[];
  }): Promise<LoweredFloor | null>;
}
