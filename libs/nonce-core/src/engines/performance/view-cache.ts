import type { Epoch } from '../../domain/epoch';
import type { Submitter } from '../../domain/submitter';
import type { FastEpoch } from '../../ports/fast-epoch-store.port';
import type { FastView } from '../../ports/fast-store.port';

interface Known {
  view: FastView | undefined;
  /** Epoch that was found unusable and must not be joined again. */
  badEpoch: Epoch | null;
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

  badEpochOf(submitter: Submitter): Epoch | null {
    return this.known.get(submitter)?.badEpoch ?? null;
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
      badEpoch: null,
      keptCeiling: ceiling,
      usedAtMs: nowMs,
    });
  }

  /** This epoch is of no use any more: the next caller enters another one. */
  burn(submitter: Submitter, epoch: Epoch): void {
    const known = this.known.get(submitter);
    if (known?.view !== undefined && known.view.epoch > epoch) return;
    const usedAtMs = known?.usedAtMs ?? 0;
    this.remember(submitter, { view: undefined, badEpoch: epoch, keptCeiling: 0, usedAtMs });
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
    const [oldest] = this.known.keys();
    if (oldest !== undefined) this.known.delete(oldest);
  }
}
