import { LRUCache } from 'lru-cache';
import type { Allocation } from '../domain/allocation';
import { NonceError } from '../domain/errors/nonce-error';
import type { Submitter } from '../domain/submitter';

/** Beyond this, the oldest are forgotten; their ids still work. */
const MAX_HELD = 100_000;

/** Finds the owner token of a nonce that this process was granted. */
export class HeldAllocations {
  private readonly held = new LRUCache<string, Allocation>({ max: MAX_HELD });

  add(allocation: Allocation): void {
    this.held.set(keyOf(allocation.submitter, allocation.nonce), allocation);
  }

  remove(allocation: Allocation): void {
    const key = keyOf(allocation.submitter, allocation.nonce);
    if (this.held.peek(key)?.id === allocation.id) this.held.delete(key);
  }

  /** @throws NonceError NONCE_FENCED: only the holder may speak for a nonce. */
  find(submitter: Submitter, nonce: number): Allocation {
    const allocation = this.held.peek(keyOf(submitter, nonce));
    if (allocation !== undefined) return allocation;
    throw new NonceError('NONCE_FENCED', {
      message: 'this process does not hold that nonce; use the allocation it was granted with',
      context: { submitter, nonce },
    });
  }
}

function keyOf(submitter: Submitter, nonce: number): string {
  return `${submitter}#${String(nonce)}`;
}
