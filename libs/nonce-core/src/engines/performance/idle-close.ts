import type { FastView } from '../../ports/fast-store.port';
import type { PerformanceEnginePorts } from './performance-ports';
import type { ViewCache } from './view-cache';

/** Submitters looked at in one run: each may cost a script run and a statement. */
const CLOSED_PER_RUN = 200;

/**
 * Ends epochs in which nobody was granted anything for a while, so that the nonces fetched ahead go
 * back to Postgres instead of being lost. The fast store decides whether an epoch is idle.
 */
export class IdleClose {
  constructor(
    private readonly ports: PerformanceEnginePorts,
    private readonly views: ViewCache,
  ) {}

  /** Returns how many epochs were closed. */
  async run(idleMs: number): Promise<number> {
    const nowMs = this.ports.clock.monotonicMs();
    const unused = this.views.unusedSince(nowMs - idleMs).slice(0, CLOSED_PER_RUN);
    let closed = 0;
    for (const view of unused) {
      if (await this.close(view, idleMs)) closed += 1;
    }
    return closed;
  }

  private async close(view: FastView, idleMs: number): Promise<boolean> {
    const { fast, epochs, clock, logger } = this.ports;
    const { submitter, epoch } = view;
    try {
      const retired = await fast.retire(view, idleMs);
      if (retired === null) {
        // Somebody else uses it, or holds a nonce: asked again after another idle time.
        this.views.use(submitter, clock.monotonicMs());
        return false;
      }
      this.views.burn(view);
      return await epochs.close(view, retired.next, 'idle');
    } catch (error) {
      // Once retired it cannot be used any more; the next caller enters a new one.
      logger.warn('an idle epoch was not closed', { submitter, epoch, reason: String(error) });
      return false;
    }
  }
}
