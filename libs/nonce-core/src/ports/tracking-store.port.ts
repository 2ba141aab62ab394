import type { Allocation } from '../domain/allocation';
import type { AllocationStage } from '../domain/allocation-state';
import type { Hex } from '../domain/brand';
import type { Nonce } from '../domain/nonce';
import type { QuarantinePolicy } from '../domain/quarantine-policy';
import type { Submitter } from '../domain/submitter';

/** An exposed nonce together with what is needed to follow it. */
export interface TrackedAllocation extends Allocation {
  /** How many of the first hashes are of earlier holders, whose success is this one's failure. */
  readonly inheritedHashes: number;
  /** The database may have forgotten further hashes: it was put back after this grant was made. */
  readonly mayLackHashes?: boolean;
  /** Bytes of the last intent that stored them; null when only hashes are known. */
  readonly rawTx: Hex | null;
  /** Those of `hashes` that are of our own transfers of nothing, oldest first. */
  readonly burnHashes: readonly Hex[];
  /** Bytes of the last of them; null while there is none. */
  readonly burnTx: Hex | null;
  readonly blockNumber: number | null;
  readonly blockHash: Hex | null;
  /** Known latest count of the account, from the last alignment. */
  readonly chainLatestCount: number | null;
  /** Known finalized count of the account; null while nothing is final. */
  readonly chainFinalizedCount: number | null;
  /** How long nothing was learned about the row, by the database's clock; paces the looks. */
  readonly unchangedMs: number;
  /** How long the row has waited for a decision; null when it needs none. */
  readonly stuckMs: number | null;
  /** How often its present bytes were sent again: in all, and in the minute that runs. */
  readonly resends: { readonly total: number; readonly inMinute: number };
  /** The lowest open nonce of the account that is not out, as far as rows say; null without one. */
  readonly gapNonce: number | null;
  /** Names the claim under which this row was read. */
  readonly claim: string;
}

/** What was learned about one nonce; applied only while the row is still as it was claimed. */
export interface TrackingVerdict {
  readonly id: string;
  readonly from: AllocationStage;
  readonly to: AllocationStage;
  readonly txHash?: Hex;
  readonly block?: { readonly number: number; readonly hash: Hex };
  readonly proof?: 'receipt' | 'count';
  readonly reason: string;
  /** When to look again; ignored for terminal stages. */
  readonly nextLookMs: number;
  /** True when the row needs a decision, false when it no longer does; absent = as it was. */
  readonly stuck?: boolean;
  /** Hashes the decision knew; the verdict is dropped when the holder recorded more meanwhile. */
  readonly hashesSeen?: number;
  /** For a row that enters quarantine: when it may be issued as a replacement; absent = never. */
  readonly releaseAfterMs?: number;
}

/** Our own transfer of nothing, to be recorded before it is sent. */
export interface BurnRecord {
  readonly id: string;
  /** The stage it was claimed in. */
  readonly from: AllocationStage;
  /** Hashes the decision knew; nothing is recorded when the holder recorded more meanwhile. */
  readonly hashesSeen: number;
  readonly txHash: Hex;
  readonly rawTx: Hex;
  readonly reason: string;
  readonly nextLookMs: number;
}

/** The same work signed again for more, to be recorded before it is sent. */
export type BumpRecord = BurnRecord;

/** Bytes of a claimed row that are about to be sent again. */
export interface SendRecord {
  readonly id: string;
  readonly from: AllocationStage;
  readonly hashesSeen: number;
  /** The claim it was found by: another worker's claim refuses it. */
  readonly claim: string;
}

/** A nonce that anybody may have and nobody asks for, while transactions above it wait. */
export interface IdleGap {
  readonly submitter: Submitter;
  readonly nonce: Nonce;
}

/**
 * Work found by scanning rows, so that losing every timer and process loses nothing (L4).
 * Several workers may run: a claim moves the row's next look into the future, and whoever dies
 * with a claim is followed by the next after `leaseMs`.
 */
export interface TrackingStore {
  /** Expired reservations: proven-unsent ones become REUSABLE, the others QUARANTINED. */
  reclaimExpired(query: {
    readonly limit: number;
    readonly quarantine: QuarantinePolicy;
  }): Promise<readonly Allocation[]>;
  /** Rows of these chains whose next look is due, claimed for `leaseMs`. */
  claimDue(query: {
    readonly stages: readonly AllocationStage[];
    readonly chainIds: readonly number[];
    readonly limit: number;
    readonly leaseMs: number;
  }): Promise<readonly TrackedAllocation[]>;
  /** Ids of the rows written; rows that changed meanwhile are left alone. */
  apply(verdicts: readonly TrackingVerdict[]): Promise<ReadonlySet<string>>;
  /**
   * Moves exposed rows to BURNING with the hash and bytes of the burn, or adds a better paying one
   * to a row that is BURNING: from then on their holders are refused. Ids of the rows written; rows
   * that changed meanwhile, or whose nonce the chain counts as used, are left alone.
   */
  recordBurns(burns: readonly BurnRecord[]): Promise<ReadonlySet<string>>;
  /**
   * Adds a hash to rows in INTENT or BROADCAST and makes its bytes the ones that are sent again. Ids
   * of the rows written; rows that changed meanwhile, or whose nonce counts as used, are left alone.
   */
  recordBumps(bumps: readonly BumpRecord[]): Promise<ReadonlySet<string>>;
  /**
   * Counts one more attempt and keeps the claim for `leaseMs`; called before bytes are sent again.
   * Ids of the rows that may be sent; a row that changed, or that another worker has claimed since,
   * or whose attempts are spent, is not among them.
   */
  recordSends(
    sends: readonly SendRecord[],
    bounds: { readonly perMinute: number; readonly total: number; readonly leaseMs: number },
  ): Promise<ReadonlySet<string>>;
  /** Moves the next look of claimed rows without changing their stage. */
  postpone(rows: readonly { readonly id: string; readonly nextLookMs: number }[]): Promise<void>;
  /** At most one per submitter: its lowest reusable nonce, free for `settledMs`. */
  listIdleGaps(query: {
    readonly chainIds: readonly number[];
    readonly settledMs: number;
    readonly limit: number;
  }): Promise<readonly IdleGap[]>;
  /** Totals for gauges and health; cheap, from partial indexes. */
  backlog(): Promise<{
    readonly overdueReservations: number;
    readonly quarantined: number;
    readonly stuck: number;
    readonly recyclable: number;
  }>;
}
