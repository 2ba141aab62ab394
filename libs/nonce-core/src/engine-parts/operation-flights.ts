import type { Grant } from '../ports/engine.port';
import type { AllocateRequest } from './allocation-request';

/**
 * One flight per operation and node: who asks for an operation that is being asked for comes after
 * it, instead of meeting its own twin in the same statement. Each asks the store itself, which must
 * know that the nonce has been answered twice.
 */
export class OperationFlights {
  private readonly last = new Map<string, Promise<unknown>>();

  join(request: AllocateRequest, begin: () => Promise<Grant>): Promise<Grant> {
    const { operationId, submitter } = request.row;
    if (operationId === null) return begin();
    const key = `${submitter} ${operationId}`;
    const earlier = this.last.get(key);
    const answer = earlier === undefined ? begin() : earlier.then(begin);
    const landed = answer
      .catch(() => undefined)
      .then(() => {
        if (this.last.get(key) === landed) this.last.delete(key);
      });
    this.last.set(key, landed);
    return answer;
  }
}
