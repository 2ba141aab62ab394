import type { Allocation } from '../allocation';
import type { Hex } from '../brand';
import { NonceError } from './nonce-error';

/** Thrown by a handler that wants to run again with the same nonce. */
export class RetryableNonceError extends Error {
  override readonly name = 'RetryableNonceError';

  constructor(message = 'retry requested', options?: ErrorOptions) {
    super(message, options);
  }
}

/** The handler returned `NonceOutcome.fail`: nothing was sent and the nonce was released. */
export class NonceOperationFailedError extends NonceError {
  override readonly name = 'NonceOperationFailedError';

  constructor(
    readonly reason: string,
    readonly allocation: Allocation,
  ) {
    super('NONCE_OPERATION_FAILED', {
      message: reason,
      context: { allocationId: allocation.id, nonce: allocation.nonce },
    });
  }
}

/**
 * The handler failed after its transaction may have left. Nobody may run the work again on another
 * nonce; the same operationId, or the allocation id, leads back to this one.
 */
export class NonceOutcomeUnknownError extends NonceError {
  override readonly name = 'NonceOutcomeUnknownError';
  readonly allocationId: string;

  constructor(
    readonly allocation: Allocation,
    readonly hashes: readonly Hex[],
    cause?: unknown,
  ) {
    super('NONCE_OUTCOME_UNKNOWN', {
      cause,
      context: {
        allocationId: allocation.id,
        submitter: allocation.submitter,
        nonce: allocation.nonce,
        hashes,
      },
    });
    this.allocationId = allocation.id;
  }
}
