import {
  NonceError,
  type Allocation,
  type Nonce,
  type NonceHistoryEntry,
  type Page,
  type Submitter,
  type SubmitterStore,
  type SubmitterView,
} from '@noncekit/nonce-core';
import type { ListNoncesQuery, ListSubmittersQuery } from './submitter-queries.dto';

/** Reads for operators: what the store knows, with "not there" said as an error. */
export class SubmitterReader {
  constructor(
    private readonly store: SubmitterStore,
    private readonly defaultMaxInFlight: (submitter: Submitter) => number,
    private readonly generalMaxInFlight: number,
  ) {}

  /** @throws NonceError NONCE_SUBMITTER_UNKNOWN */
  async view(submitter: Submitter): Promise<SubmitterView> {
    const view = await this.store.view(submitter, this.defaultMaxInFlight(submitter));
    if (view === null) throw unknownSubmitter(submitter);
    return view;
  }

  async list(query: ListSubmittersQuery): Promise<Page<SubmitterView>> {
    return this.store.list({
      limit: query.limit,
      defaultMaxInFlight: this.generalMaxInFlight,
      ...(query.q === undefined ? {} : { search: query.q }),
      ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
    });
  }

  /** One row more than asked tells whether there is a next page. */
  async nonces(
    submitter: Submitter,
    query: ListNoncesQuery,
  ): Promise<{ items: readonly Allocation[]; nextFrom: number | null }> {
    if (query.from !== undefined && query.to !== undefined && query.from > query.to) {
      const errors = [{ pointer: '/to', detail: 'must not be lower than from' }];
      throw new NonceError('NONCE_VALIDATION', { errors });
    }
    await this.view(submitter);
    const { limit, ...filter } = query;
    const rows = await this.store.nonces({ ...filter, submitter, limit: limit + 1 });
    return { items: rows.slice(0, limit), nextFrom: rows[limit]?.nonce ?? null };
  }

  /** @throws NonceError NONCE_SUBMITTER_UNKNOWN, NONCE_ALLOCATION_UNKNOWN */
  async nonce(
    submitter: Submitter,
    nonce: Nonce,
  ): Promise<{ allocation: Allocation; history: readonly NonceHistoryEntry[] }> {
    const found = await this.store.nonce(submitter, nonce);
    if (found !== null) return found;
    await this.view(submitter);
    throw new NonceError('NONCE_ALLOCATION_UNKNOWN', {
      message: 'This nonce was never issued.',
      context: { submitter, nonce },
    });
  }
}

export function unknownSubmitter(submitter: Submitter): NonceError {
  return new NonceError('NONCE_SUBMITTER_UNKNOWN', { context: { submitter } });
}
