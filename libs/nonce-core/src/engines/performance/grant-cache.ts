import type { Nonce } from '../../domain/nonce';
import type { Submitter } from '../../domain/submitter';
import { OldestFirst } from '../../engine-parts/oldest-first';
import type { FastGrant } from '../../ports/fast-store.port';

interface Held {
  readonly grant: FastGrant;
  /** By this node's monotonic clock, counted from before the grant: never later than the store's. */
  readonly expiresAtMs: number;
}

/**
 * The grants this node handed out last, so that a bare id leads to its facts and a holder's first
 * command needs no question. Forgets the oldest; what it says may be out of date.
 */
export class GrantCache {
  private readonly byId = new Map<string, Held>();
  private readonly idByNonce = new Map<string, string>();
  private readonly oldest = new OldestFirst(this.byId);

  constructor(private readonly max: number) {}

  add(grant: FastGrant, expiresAtMs: number): void {
    const key = keyOf(grant);
    const earlier = this.idByNonce.get(key);
    if (earlier !== undefined) this.byId.delete(earlier);
    this.byId.set(grant.id, { grant, expiresAtMs });
    this.idByNonce.set(key, grant.id);
    if (this.byId.size <= this.max) return;
    const oldest = this.oldest.take();
    if (oldest !== undefined) this.forget(oldest);
  }

  /** Facts of a grant, however old. */
  find(id: string): FastGrant | undefined {
    return this.byId.get(id)?.grant;
  }

  /** Facts of a grant whose deadline has not passed, as far as this node knows. */
  live(id: string, nowMs: number): FastGrant | undefined {
    const held = this.byId.get(id);
    return held !== undefined && held.expiresAtMs > nowMs ? held.grant : undefined;
  }

  forget(id: string): void {
    const held = this.byId.get(id);
    if (held === undefined) return;
    this.byId.delete(id);
    const key = keyOf(held.grant);
    if (this.idByNonce.get(key) === id) this.idByNonce.delete(key);
  }
}

function keyOf({ submitter, nonce }: { submitter: Submitter; nonce: Nonce }): string {
  return `${submitter} ${nonce}`;
}
