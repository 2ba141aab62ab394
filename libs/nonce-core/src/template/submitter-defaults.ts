import { LRUCache } from 'lru-cache';
import type { Submitter } from '../domain/submitter';
import type { SubmitterDefaults, SubmitterStore } from '../ports/submitter-store.port';

/** A changed setting is followed by the first call after this time, on every node. */
const MAX_AGE_MS = 5_000;
const MAX_REMEMBERED = 100_000;
const NONE: SubmitterDefaults = { ttlMs: null, exposure: null };

/**
 * Settings that an operator gave to single submitters. Only the first call of a submitter waits for
 * the store; later ones use what is known while it is read anew, so that no allocation costs a
 * second round trip.
 */
export class SubmitterDefaultsCache {
  private readonly known: LRUCache<Submitter, SubmitterDefaults>;

  constructor(store: Pick<SubmitterStore, 'defaults'>) {
    this.known = new LRUCache<Submitter, SubmitterDefaults>({
      max: MAX_REMEMBERED,
      ttl: MAX_AGE_MS,
      allowStale: true,
      noDeleteOnFetchRejection: true,
      allowStaleOnFetchRejection: true,
      fetchMethod: async (submitter) => (await store.defaults(submitter)) ?? NONE,
    });
  }

  /** Never rejects: when the store does not answer, the general settings apply. */
  async of(submitter: Submitter): Promise<SubmitterDefaults> {
    try {
      return (await this.known.fetch(submitter)) ?? NONE;
    } catch {
      return NONE;
    }
  }
}
