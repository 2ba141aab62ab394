import type { Submitter } from '../../domain/submitter';
import { OldestFirst } from '../../engine-parts/oldest-first';
import type { FastEpoch } from '../../ports/fast-epoch-store.port';
import type { FastView } from '../../ports/fast-store.port';

interface Known {
  view: FastView | undefined;
  /** Epoch that was found unusable and must not be joined again. */
  bad: FastView | null;
  /** Highest ceiling that this node has kept a witness of. */
  keptCeiling: number;
  usedAtMs: number;
}

/**
 * What this node believes about its submitters' epochs. It may be wrong for ever without harm: the
 * fast store and Postgres compare it with what rules there.
 */
export class ViewCache {
  private readonly known = new Map<Submitter, Known>();
  private readonly oldest = new OldestFirst(this.known);

  constructor(private readonly max: number) {}

  get(submitter: Submitter): FastView | undefined {
    return this.known.get(submitter)?.view;
  }

  /** The same, and remembers that it was asked for an allocation. */
  use(submitter: Submitter, nowMs: number): FastView | undefined {
    const known = this.known.get(submitter);
    if (known === undefined) return undefined;
    known.usedAtMs = nowMs;
    return known.view;
  }

  badOf(submitter: Submitter): FastView | null {
    return this.known.get(submitter)?.bad ?? null;
  }

  /** True when this node has to keep a witness before it may use the ceiling. */
  raises({ view, ceiling }: FastEpoch): boolean {
    const known = this.known.get(view.submitter);
    return known?.view?.epoch !== view.epoch || ceiling > known.keptCeiling;
  }

  /** An epoch whose witness is kept. */
  learn({ view, ceiling }: FastEpoch, nowMs: number): void {
    const known = this.known.get(view.submitter);
    if (known?.view?.epoch === view.epoch) {
      known.keptCeiling = Math.max(known.keptCeiling, ceiling);
      return;
    }
    this.remember(view.submitter, {
      view,
      bad: null,
      keptCeiling: ceiling,
      usedAtMs: nowMs,
    });
  }

  /** This epoch is of no use any more: the next caller enters another one. */
  burn(bad: FastView): void {
    const known = this.known.get(bad.submitter);
    if (known?.view !== undefined && known.view.epoch > bad.epoch) return;
    const usedAtMs = known?.usedAtMs ?? 0;
    this.remember(bad.submitter, { view: undefined, bad, keptCeiling: 0, usedAtMs });
  }

  /**
   * Forgets the views of submitters that are entitled to another engine by now. Their epochs may end
   * without a word to a store that is silent just then, and would be granted from when it is back.
   */
  keepOnly(isEntitled: (submitter: Submitter) => boolean): void {
    for (const [submitter, known] of this.known) {
      if (known.view !== undefined && !isEntitled(submitter)) known.view = undefined;
    }
  }

  /** Views that were not used for an allocation since `beforeMs`. */
  unusedSince(beforeMs: number): readonly FastView[] {
    const unused: FastView[] = [];
    for (const { view, usedAtMs } of this.known.values()) {
      if (view !== undefined && usedAtMs < beforeMs) unused.push(view);
    }
    return unused;
  }

  all(): readonly FastView[] {
    return [...this.known.values()].flatMap(({ view }) => view ?? []);
  }

  private remember(submitter: Submitter, known: Known): void {
    this.known.delete(submitter);
    this.known.set(submitter, known);
    if (this.known.size <= this.max) return;
    const oldest = this.oldest.take();
    if (oldest !== undefined) this.known.delete(oldest);
  }
}
