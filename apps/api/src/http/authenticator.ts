import { createHash } from 'node:crypto';
import { API_SCOPES, NonceError, type AccessStore } from '@noncekit/nonce-core';
import { LRUCache } from 'lru-cache';
import type { Principal } from './principal';

/** A revoked key is refused at the latest this much later. */
const POSITIVE_CACHE_MS = 5_000;
/** Bounds memory when many keys are in use; the least recently used one is read again. */
const POSITIVE_CACHE_MAX = 1_000;
/** Longer texts are no keys; refusing them early keeps hashing cheap. */
const MAX_KEY_LENGTH = 512;
const BEARER = /^Bearer +([^\s]+)$/i;

export const AUTH_MODES = ['api-key', 'none'] as const;
export type AuthMode = (typeof AUTH_MODES)[number];

/** Keys are kept and compared as SHA-256 digests only. */
export function digestOfKey(key: string): string {
  return createHash('sha256').update(key, 'utf8').digest('hex');
}

/**
 * Turns an `Authorization` header into a principal.
 *
 * Keys are never compared with each other: the digest of what was sent is the lookup key, and how
 * long a lookup takes tells nothing about a digest that cannot be chosen. Only found keys are
 * cached, so a new key works at once and unknown ones cannot fill the cache.
 */
export class Authenticator {
  private readonly found = new LRUCache<string, Principal>({
    max: POSITIVE_CACHE_MAX,
    ttl: POSITIVE_CACHE_MS,
  });

  constructor(
    private readonly store: AccessStore,
    private readonly mode: AuthMode,
  ) {}

  /** @throws NonceError NONCE_UNAUTHENTICATED; NONCE_STORE_UNAVAILABLE when keys cannot be read. */
  async authenticate(authorization: string | undefined): Promise<Principal> {
    if (this.mode === 'none') return { name: 'anonymous', scopes: API_SCOPES };
    const key = BEARER.exec(authorization ?? '')?.[1];
    if (key === undefined || key.length > MAX_KEY_LENGTH) {
      throw new NonceError('NONCE_UNAUTHENTICATED');
    }
    const digest = digestOfKey(key);
    const cached = this.found.get(digest);
    if (cached !== undefined) return cached;
    const known = await this.store.findKey(digest);
    if (known === null) throw new NonceError('NONCE_UNAUTHENTICATED');
    const principal = { name: known.name, scopes: known.scopes };
    this.found.set(digest, principal);
    return principal;
  }
}
