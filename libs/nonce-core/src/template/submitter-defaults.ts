import type { Submitter } from '../domain/submitter';
import type { Clock } from '../ports/clock.port';
import type { SubmitterDefaults, SubmitterStore } from '../ports/submitter-store.port';

/** A changed setting is followed within this time, on every node. */
const MAX_AGE_MS = 5_000;
const MAX_REMEMBERED = 10_000;
const NONE: SubmitterDefaults = { ttlMs: null, exposure: null };

/** Settings that an operator gave to single submitters, read at most once per age. */
export class SubmitterDefaultsCache {
  private readonly known = new Map<
    Submitter,
    { readonly readAtMs: number; readonly defaults: Promise<SubmitterDefaults> }
  >();

  constructor(
    private readonly store: Pick<SubmitterStore, 'defaults'>,
    private readonly clock: Clock,
  ) {}

  /** Never rejects: when the store does not answer, the general settings apply. */
  of(submitter: Submitter): Promise<SubmitterDefaults> {
    const nowMs = this.clock.monotonicMs();
    const entry = this.known.get(submitter);
    if (entry !== undefined && nowMs - entry.readAtMs < MAX_AGE_MS) return entry.defaults;
    if (this.known.size >= MAX_REMEMBERED) this.known.clear();
    const defaults = this.read(submitter);
    this.known.set(submitter, { readAtMs: nowMs, defaults });
    return defaults;
  }

  private async read(submitter: Submitter): Promise<SubmitterDefaults> {
    try {
      return (await this.store.defaults(submitter)) ?? NONE;
    } catch {
      this.known.delete(submitter);
      return NONE;
    }
  }
}
