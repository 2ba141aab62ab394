import type { Submitter } from '../../domain/submitter';
import type { MirrorLook } from './decide-divergence';

interface Remembered {
  readonly look: MirrorLook;
  readonly atMs: number;
}

/**
 * The last look at each submitter. A look that is forgotten, or too old, costs no safety: what is
 * missing then counts as not mirrored yet.
 */
export class MirrorMemory {
  private readonly looks = new Map<Submitter, Remembered>();

  constructor(private readonly limits: { readonly maxLooks: number; readonly maxAgeMs: number }) {}

  find(submitter: Submitter, nowMs: number): MirrorLook | null {
    const known = this.looks.get(submitter);
    if (known === undefined || nowMs - known.atMs > this.limits.maxAgeMs) return null;
    return known.look;
  }

  /** Submitters after the first key, up to and with the last; null = no bound. */
  between(after: Submitter | null, last: Submitter | null): readonly Submitter[] {
    return [...this.looks.keys()].filter(
      (submitter) => (after === null || submitter > after) && (last === null || submitter <= last),
    );
  }

  keep(submitter: Submitter, look: MirrorLook, nowMs: number): void {
    if (this.looks.size >= this.limits.maxLooks) this.looks.clear();
    this.looks.set(submitter, { look, atMs: nowMs });
  }

  forget(submitter: Submitter): void {
    this.looks.delete(submitter);
  }

  clear(): void {
    this.looks.clear();
  }
}
