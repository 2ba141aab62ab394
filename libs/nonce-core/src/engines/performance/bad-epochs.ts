import type { Submitter } from '../../domain/submitter';
import type { FastView, Incarnation } from '../../ports/fast-store.port';
import type { PerformanceEnginePorts } from './performance-ports';
import type { ViewCache } from './view-cache';

interface Entering {
  readonly submitter: Submitter;
  /** That serves the submitter now. */
  readonly incarnation: Incarnation;
}

/**
 * Ends epochs that are of no use any more before others are entered, where the fast store still
 * knows them: so nobody who holds a nonce of them loses it, and none that was never issued is
 * quarantined. What the fast store cannot tell, entering closes unheard.
 */
export class BadEpochs {
  constructor(
    private readonly ports: Pick<PerformanceEnginePorts, 'handOver' | 'epochs'>,
    private readonly views: ViewCache,
  ) {}

  /** @throws NonceError NONCE_STORE_UNAVAILABLE. */
  async end(entering: readonly Entering[]): Promise<void> {
    const bad = entering.flatMap(({ submitter, incarnation }) => {
      const view = this.views.badOf(submitter);
      return view?.incarnation === incarnation ? view : [];
    });
    if (bad.length === 0) return;
    const { handOver, epochs } = this.ports;
    const ends = await handOver.end(bad);
    const closed: FastView[] = [];
    for (const [i, view] of bad.entries()) {
      const next = ends[i] ?? null;
      if (next === null) continue;
      await epochs.close(view, next, 'handed over');
      closed.push(view);
    }
    await handOver.forget(closed);
  }
}
