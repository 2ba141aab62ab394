import { NonceError } from '../../domain/errors/nonce-error';
import type { Grant } from '../../ports/engine.port';
import type { AllocateRequest } from './allocation-request';

interface OperationFlight {
  readonly request: AllocateRequest;
  readonly answer: Promise<Grant>;
}

/**
 * One flight per operation and node: who asks for an operation that is being asked for waits for
 * that answer, instead of meeting its own twin in the same statement.
 */
export class OperationFlights {
  private readonly flights = new Map<string, OperationFlight>();

  join(request: AllocateRequest, begin: () => Promise<Grant>): Promise<Grant> {
    const { operationId, submitter } = request.row;
    if (operationId === null) return begin();
    const key = `${submitter} ${operationId}`;
    const first = this.flights.get(key);
    if (first !== undefined) return follow(first, request);
    const answer = begin().finally(() => this.flights.delete(key));
    this.flights.set(key, { request, answer });
    return answer;
  }
}

async function follow(first: OperationFlight, { row }: AllocateRequest): Promise<Grant> {
  const { allocations, contiguous } = await first.answer;
  const { ids, requestHash } = first.request.row;
  // Without a digest on one side there is nothing to compare, as in the store.
  const otherRequest =
    requestHash !== null && row.requestHash !== null && requestHash !== row.requestHash;
  if (otherRequest || ids.length !== row.ids.length) {
    const context = { operationId: row.operationId };
    throw new NonceError('NONCE_IDEMPOTENCY_REUSED', { context });
  }
  return { allocations, contiguous, replayed: true };
}
