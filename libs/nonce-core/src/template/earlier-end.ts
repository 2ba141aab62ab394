import type { Allocation } from '../domain/allocation';
import { NonceOutcomeUnknownError } from '../domain/errors/handler-errors';
import { NonceError } from '../domain/errors/nonce-error';
import type { Grant } from '../ports/engine.port';

/**
 * What an operation that was allocated before means for this call: `run` the handler, or `done`.
 * @throws NonceError NONCE_OUTCOME_UNKNOWN when bytes may be out or the nonce went to other bytes,
 * NONCE_ALLOCATION_CLOSED when the allocation was given back.
 */
export function earlierEnd(
  grant: Pick<Grant, 'replayed'> & { readonly allocation: Allocation },
  rerun: boolean,
): 'run' | 'done' {
  const { allocation } = grant;
  if (!grant.replayed) return 'run';
  switch (allocation.stage) {
    case 'GRANTED':
      return 'run';
    case 'BROADCAST':
    case 'MINED':
    case 'ASSERTED':
    case 'CONFIRMED':
    case 'FINAL':
      return rerun ? 'run' : 'done';
    case 'INTENT':
    case 'QUARANTINED':
      if (rerun) return 'run';
      throw new NonceOutcomeUnknownError(allocation, allocation.hashes);
    case 'BURNING':
    case 'BURNT':
    case 'CONSUMED_EXTERNAL':
      throw new NonceOutcomeUnknownError(allocation, allocation.hashes);
    case 'REUSABLE':
      throw new NonceError('NONCE_ALLOCATION_CLOSED', {
        context: { allocationId: allocation.id, stage: allocation.stage },
      });
  }
}
