import { isNonceError } from '../../domain/errors/nonce-error';
import type { PerformanceEnginePorts } from './performance-ports';
import type { RefillDesk } from './refill-desk';

/**
 * Hands nonces that became free in Postgres (released there, or due as replacements) to the fast
 * stores that rule their submitters, so that the lowest goes first there too.
 */
export class LoadFree {
  constructor(
    private readonly ports: PerformanceEnginePorts,
    private readonly refills: RefillDesk,
  ) {}

  /** Returns how many submitters were served. */
  async run(limit: number): Promise<number> {
    const views = await this.ports.epochs.awaitingLoad(limit);
    const ends = await Promise.all(
      views.map((view) => this.refills.refresh(view).catch(asUnavailable)),
    );
    return ends.filter((end) => end?.kind === 'refilled').length;
  }
}

/** What could not be handed over now is still waiting at the next run. */
function asUnavailable(error: unknown): undefined {
  if (!isNonceError(error, 'NONCE_STORE_UNAVAILABLE')) throw error;
}
