import type { Epoch } from '../domain/epoch';
import type { QuarantinePolicy } from '../domain/quarantine-policy';
import type { Submitter } from '../domain/submitter';
import type { ServerStart, Witness } from './witness.port';

/** Why a run of the database counts as going on from where the one before it ended. */
export type ContinuityReason = 'migrated' | 'first use' | 'witnessed' | 'confirmed';

/** A run of the database as it stood when somebody first vouched for it. */
export interface RecordedStart extends ServerStart {
  readonly how: ContinuityReason;
  readonly verifiedBy: string;
}

export interface ServerFacts {
  readonly server: ServerStart;
  /** Where the log stood when this run began; equal to or below the flushed position. */
  readonly startLsn: string;
  /** Runs that were vouched for, latest first, at most a thousand. */
  readonly recorded: readonly RecordedStart[];
  /** True once any nonce may have been issued. */
  readonly allocations: boolean;
}

/** A witnessed submitter and what the database says now; null where it knows no such submitter. */
export interface ComparedState {
  readonly witness: Witness;
  readonly state: {
    readonly epoch: Epoch;
    readonly ceiling: number;
    /** An earlier recovery of it was cut off. */
    readonly unfinished: boolean;
  } | null;
}

export interface RecoveryRequest {
  readonly server: ServerStart;
  readonly witnesses: readonly Witness[];
  /**
   * The run at whose start commits were lost: these submitters are recovered also where epoch and
   * ceiling fit, once for that run. null = only those that are behind their witness.
   */
  readonly lostAt: string | null;
  readonly reason: string;
  readonly quarantine: QuarantinePolicy;
}

export interface RecoveredState {
  readonly submitter: Submitter;
  /** True for the one call that began this recovery. */
  readonly entered: boolean;
  readonly epoch: Epoch;
  readonly ceiling: number;
  /** False while more nonces of it wait to be quarantined: call again. */
  readonly finished: boolean;
}

export interface SubmitterRecovery {
  readonly submitter: Submitter;
  readonly since: Date;
  readonly reason: string;
  /** Quarantined nonces of it that nothing has settled yet. */
  readonly open: number;
  /** False while it was cut off and waits to be continued. */
  readonly finished: boolean;
}

/**
 * Postgres's side of continuity. Every method throws NONCE_STORE_UNAVAILABLE when the database does
 * not answer, and those that take a server also when another run of it answers by now.
 */
export interface ContinuityStore {
  facts(): Promise<ServerFacts>;
  /** Vouches for the run; the first to do so is remembered. */
  record(server: ServerStart, entry: { how: ContinuityReason; by: string }): Promise<void>;
  compare(witnesses: readonly Witness[]): Promise<readonly ComparedState[]>;
  /**
   * Takes submitters out of the hands of whoever held them before the loss: a new epoch above the
   * witnessed one, everything short of INTENT in quarantine under tokens that nobody has.
   * Idempotent; of several at once one does it. Submitters without a state row are left out.
   */
  recover(request: RecoveryRequest): Promise<readonly RecoveredState[]>;
  /** Ends the recoveries of which no quarantined nonce is open any more. */
  leaveSettled(): Promise<readonly Submitter[]>;
  /** Ends one by an operator's word; false when it was in none. */
  leave(submitter: Submitter): Promise<boolean>;
  recoveries(limit: number): Promise<{
    readonly total: number;
    readonly items: readonly SubmitterRecovery[];
  }>;
}
