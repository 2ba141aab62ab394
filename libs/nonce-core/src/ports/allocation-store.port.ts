import type { Allocation, Exposure } from '../domain/allocation';
import type { AllocationStage } from '../domain/allocation-state';
import type { Hex } from '../domain/brand';
import type { EngineName } from '../domain/epoch';
import type { ErrorCode } from '../domain/errors/catalogue';
import type { HolderCommand } from '../domain/holder-command';
import type { Nonce } from '../domain/nonce';
import type { QuarantinePolicy } from '../domain/quarantine-policy';
import type { Submitter } from '../domain/submitter';
import type { FastGrant } from './fast-store.port';
import type { TransactionHandle } from './transaction.port';

export interface AllocateRow {
  readonly submitter: Submitter;
  /** One owner token per wanted nonce; a repeated token is answered with its first grant. */
  readonly ids: readonly string[];
  readonly operationId: string | null;
  readonly requestHash: string | null;
  readonly ttlMs: number;
  readonly exposure: Exposure;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  /** Window of this submitter's chain, where it differs from the batch's default. */
  readonly maxInFlight?: number;
  /** Its chain refuses a nonce above the next one: each is issued once a node took the one before. */
  readonly strictNonce?: boolean;
}

export interface AllocateBatch {
  readonly rows: readonly AllocateRow[];
  /** Default window of submitters that have no own setting; 0 = no limit. */
  readonly maxInFlight: number;
  readonly quarantine: QuarantinePolicy;
  /** Groups skip submitters locked by another statement; a straggler alone waits for its lock. */
  readonly skipLocked: boolean;
  /** True when an earlier try of the same tokens may have committed. */
  readonly retry: boolean;
}

/**
 * One answer per row, in row order.
 * `absent`: the submitter has no state row yet. `contended`: locked by another node, try alone.
 */
export type AllocateAnswer =
  | {
      readonly kind: 'granted';
      readonly allocations: readonly Allocation[];
      readonly contiguous: boolean;
      readonly replayed: boolean;
    }
  | {
      readonly kind: 'refused';
      readonly code: ErrorCode;
      readonly context: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: 'absent' }
  | { readonly kind: 'contended' };

export interface HolderRow {
  readonly command: HolderCommand;
  readonly id: string;
  readonly submitter: Submitter | null;
  readonly nonce: Nonce | null;
  readonly txHash: Hex | null;
  readonly rawTx: Hex | null;
  /** Reason or note, at most 500 characters. */
  readonly note: string | null;
  readonly ttlMs: number;
  /** A chain is configured for this submitter, so a hash can be followed. */
  readonly followable: boolean;
  /** Facts of a fast grant that Postgres may not have heard of yet; makes its row when needed. */
  readonly grant?: FastGrant;
}

export type HolderAnswer =
  | {
      readonly kind: 'done';
      readonly allocation: Allocation;
      readonly changed: boolean;
      /** The stage before the command, where the store tells it; for metrics and events only. */
      readonly from?: AllocationStage;
    }
  | {
      readonly kind: 'refused';
      readonly code: ErrorCode;
      /** The row as it stands, when the caller may see it. */
      readonly allocation: Allocation | null;
    };

export interface SubmitterBaseline {
  readonly submitter: Submitter;
  /** First nonce to issue. */
  readonly startNonce: Nonce;
  /** Nonces in [startNonce, pendingCount) start in quarantine: a pool may hold them. */
  readonly pendingCount: number;
  readonly chainLatestCount: number | null;
  readonly chainFinalizedCount: number | null;
  readonly genesisHash: Hex | null;
  readonly engine: EngineName;
  readonly quarantine: QuarantinePolicy;
  /** The account delegates to code (EIP-7702): it has one nonce in flight from the start. */
  readonly delegated?: boolean;
}

/**
 * The authority. Each batch is one statement in its own transaction; decisions are made under the
 * state rows' locks on the primary, by the database's clock.
 * @throws NonceError NONCE_STORE_UNAVAILABLE when the database does not answer (outcome unknown);
 * any other error failed the whole batch and wrote nothing.
 */
export interface AllocationStore {
  allocate(batch: AllocateBatch): Promise<readonly AllocateAnswer[]>;
  /** One answer per row, in row order; with `handle` inside the caller's transaction. */
  command(
    rows: readonly HolderRow[],
    quarantine: QuarantinePolicy,
    handle?: TransactionHandle,
  ): Promise<readonly HolderAnswer[]>;
  /** Creates the state row; changes nothing when it exists. */
  open(baseline: SubmitterBaseline): Promise<void>;
  findById(id: string): Promise<Allocation | null>;
}
