import type { Allocation } from '../domain/allocation';
import type { AllocationStage } from '../domain/allocation-state';
import type { Hex } from '../domain/brand';
import type { QuarantinePolicy } from '../domain/quarantine-policy';

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
  readonly nextLookMs: number;
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
   * Moves quarantined rows to BURNING with the hash and bytes of the burn, or adds a better paying one
   * to a row that is BURNING: from then on their holders are refused. Ids of the rows written; rows
   * that changed meanwhile, or whose nonce the chain counts as used, are left alone.
   */
  recordBurns(burns: readonly BurnRecord[]): Promise<ReadonlySet<string>>;
  /** Moves the next look of claimed rows without changing their stage. */
  postpone(rows: readonly { readonly id: string; readonly nextLookMs: number }[]): Promise<void>;
  /** Totals for gauges and health; cheap, from partial indexes. */
  backlog(): Promise<{
    readonly overdueReservations: number;
    readonly quarantined: number;
    readonly stuck: number;
    readonly recyclable: number;
  }>;
}
