import type { Submitter, SubmitterStore } from '@noncekit/nonce-core';
import { LRUCache } from 'lru-cache';

/** A changed setting applies at the latest this much later, on every node. */
const CACHE_MS = 1_000;
/** Submitters in use at the same time; more only cost a read by key each. */
const CACHE_MAX = 10_000;

/** How long a hold lasts when the caller does not say: the submitter's setting, else the default. */
export class HoldTtl {
  private readonly cached: LRUCache<Submitter, number>;

  constructor(store: SubmitterStore, defaultTtlMs: number) {
    this.cached = new LRUCache({
      max: CACHE_MAX,
      ttl: CACHE_MS,
      fetchMethod: async (submitter, stale) => {
        try {
          return (await store.defaults(submitter))?.ttlMs ?? defaultTtlMs;
        } catch (error) {
          // An old setting is better than a refused allocation.
          if (stale !== undefined) return stale;
          throw error;
        }
      },
    });
  }

  /** @throws NonceError NONCE_STORE_UNAVAILABLE when the setting was never read */
  async of(submitter: Submitter): Promise<number> {
    return this.cached.forceFetch(submitter);
  }
}
