import type { TransitionLog } from '../ports/transition-log.port';

/** Forgets told moves of transactions once they are old; several workers do it together. */
export class PruneTransitions {
  constructor(
    private readonly log: Pick<TransitionLog, 'prune'>,
    private readonly olderThanMs: number,
  ) {}

  async tick(signal?: AbortSignal): Promise<void> {
    while (await this.log.prune(this.olderThanMs)) if (signal?.aborted === true) return;
  }
}
