import type { Allocation, AllocationSource, Exposure } from '../domain/allocation';
import type { AllocationStage, AllocationStatus } from '../domain/allocation-state';
import type { Hex } from '../domain/brand';
import type { NonceOutcome } from '../domain/nonce-outcome';
import type { Submitter } from '../domain/submitter';
import type { NonceContext } from './nonce-context';

export type NonceHandler<T> = (ctx: NonceContext) => Promise<T | NonceOutcome<T>>;

export interface WithNonceOptions {
  /**
   * The caller's name for the work: the same one gets the same nonce again, in any process. Two
   * calls at the same time in one process run the handler once; both get its result.
   */
  readonly operationId?: string;
  /** Life of the reservation without a sign of life; heartbeats are sent while the handler runs. */
  readonly ttlMs?: number;
  readonly exposure?: Exposure;
  /** Runs of the handler when it asks for a retry, the first one included. */
  readonly maxAttempts?: number;
  /** Aborts the wait for a nonce, and `ctx.signal`. */
  readonly signal?: AbortSignal;
  /** How long a retryable refusal (window full, paused, queue full) is waited out. */
  readonly waitMs?: number;
  /**
   * Runs the handler again with the same nonce although the operation is done or may be out. A
   * failure of that run is NONCE_OUTCOME_UNKNOWN and changes nothing.
   */
  readonly rerun?: boolean;
  /** First nonce of a submitter on a chain that is not configured. */
  readonly startNonce?: number;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** One call of withNonce, checked and complete. */
export interface NonceWork {
  readonly submitter: Submitter;
  readonly operationId: string | undefined;
  readonly ttlMs: number;
  readonly exposure: Exposure;
  readonly maxAttempts: number;
  readonly waitMs: number;
  readonly rerun: boolean;
  readonly signal: AbortSignal | undefined;
  readonly startNonce: number | undefined;
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
}

/** The unified result of one call. */
export interface NonceExecution<T> {
  /** Undefined when the handler kept the nonce or did not run because the work was done before. */
  readonly value: T | undefined;
  readonly nonce: number;
  readonly allocationId: string;
  readonly status: AllocationStatus;
  readonly stage: AllocationStage;
  readonly source: AllocationSource;
  readonly txHash: Hex | null;
  /** Runs of the handler; 0 when it did not run. */
  readonly attempts: number;
  readonly durationMs: number;
  /** True when an earlier call of the same operation had already been answered. */
  readonly replayed: boolean;
}

export function executionOf<T>(
  allocation: Allocation,
  run: Pick<NonceExecution<T>, 'value' | 'attempts' | 'durationMs' | 'replayed'>,
): NonceExecution<T> {
  const { nonce, id, status, stage, source, txHash } = allocation;
  return { ...run, nonce, allocationId: id, status, stage, source, txHash };
}
