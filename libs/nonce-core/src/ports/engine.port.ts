import type { Allocation, Exposure } from '../domain/allocation';
import type { Hex } from '../domain/brand';
import type { EngineName } from '../domain/epoch';
import type { Nonce } from '../domain/nonce';
import type { Submitter } from '../domain/submitter';
import type { SubmitterView } from '../domain/submitter-view';
import type { TransactionHandle } from './transaction.port';

export interface AllocateCommand {
  readonly submitter: Submitter;
  /** Nonces wanted, 1…256; all or none are granted. */
  readonly count: number;
  /** The caller's name for the work: the same one gets the same nonces again. */
  readonly operationId?: string;
  /** Digest of the request; a replay with another one is NONCE_IDEMPOTENCY_REUSED. */
  readonly requestHash?: string;
  readonly ttlMs: number;
  readonly exposure: Exposure;
  /** First nonce of a submitter on a chain that is not configured; ignored once it exists. */
  readonly startNonce?: Nonce;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export interface Grant {
  /** In nonce order. */
  readonly allocations: readonly Allocation[];
  readonly contiguous: boolean;
  /** True when an earlier call of the same operation had already been answered. */
  readonly replayed: boolean;
}

/** Names one allocation. The id is the owner token; the rest finds rows not yet flushed. */
export interface AllocationRef {
  readonly id: string;
  readonly submitter?: Submitter;
  readonly nonce?: Nonce;
  readonly epoch?: number;
}

export interface CommandAnswer {
  readonly allocation: Allocation;
  /** False when the call repeated a known fact. */
  readonly changed: boolean;
}

/**
 * Issues nonces and records what holders say. Every method is idempotent, conditional on the owner
 * token, and refuses late, duplicate or foreign calls without changing anything:
 * NONCE_FENCED (another holder), NONCE_ALLOCATION_CLOSED (too late for this call),
 * NONCE_RECYCLE_UNSAFE (may be out), NONCE_ALLOCATION_UNKNOWN (no such id).
 * Any method may throw NONCE_STORE_UNAVAILABLE; then the outcome is unknown and the same call may
 * be repeated. Not here: chain reads, retries on behalf of the caller, running handlers.
 */
export interface NonceEngine {
  readonly name: EngineName;

  /**
   * Lowest reusable nonces first, then fresh ones; all or none.
   * @throws NonceError NONCE_IN_FLIGHT_LIMIT, NONCE_PAUSED, NONCE_IDEMPOTENCY_REUSED,
   * NONCE_BACKPRESSURE, NONCE_CHAIN_UNREACHABLE (first use of a submitter), NONCE_OUT_OF_RANGE.
   */
  allocate(command: AllocateCommand): Promise<Grant>;

  /** Durable before it resolves: after it, and only after it, these bytes may leave. */
  intent(ref: AllocationRef, tx: { txHash: Hex; rawTx?: Hex }): Promise<CommandAnswer>;

  /** A node took the bytes. With `handle` it joins the caller's transaction. */
  markSubmitted(
    ref: AllocationRef,
    tx: { txHash: Hex },
    handle?: TransactionHandle,
  ): Promise<CommandAnswer>;

  /** The work is done: followed when a hash is known and the chain is configured, else asserted. */
  markUsed(
    ref: AllocationRef,
    tx: { txHash?: Hex },
    handle?: TransactionHandle,
  ): Promise<CommandAnswer>;

  /** Never sent: reusable at once. Refused once bytes may be out. */
  markRecyclable(ref: AllocationRef, why: { reason: string }): Promise<CommandAnswer>;

  /** Perhaps sent, hash unknown: no clean reuse until evidence or replacement. */
  quarantine(ref: AllocationRef, why: { reason: string }): Promise<CommandAnswer>;

  /** Still wanted: stores the note and moves the deadline to now + ttl. */
  keepReserved(ref: AllocationRef, keep: { note: string; ttlMs: number }): Promise<CommandAnswer>;

  /** Moves the deadline to now + ttl, by the database's clock. */
  heartbeat(ref: AllocationRef, beat: { ttlMs: number }): Promise<CommandAnswer>;

  /** @throws NonceError NONCE_SUBMITTER_UNKNOWN. */
  inspect(submitter: Submitter): Promise<SubmitterView>;
}
