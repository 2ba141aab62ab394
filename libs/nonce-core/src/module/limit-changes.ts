import type { Submitter } from '../domain/submitter';
import type { HeadStore } from '../ports/head-store.port';
import type { Logger } from '../ports/logger.port';
import type { AlignmentStore, SubmitterStore } from '../ports/submitter-store.port';

type RefreshLimits = (submitter: Submitter) => Promise<void>;

/**
 * Tells a fast store what has changed in Postgres: a floor, a window or a pause. Told before the
 * change is answered, so that a paused submitter issues nothing more. A fast store that cannot be
 * told changes no answer: Postgres is right, and the next refill brings it there.
 */
export class LimitChanges {
  private refresh: RefreshLimits = () => Promise.resolve();

  constructor(private readonly logger: Logger) {}

  tell(refresh: RefreshLimits): void {
    this.refresh = refresh;
  }

  ofSettings(store: SubmitterStore): SubmitterStore {
    return {
      view: (submitter, window) => store.view(submitter, window),
      list: (query) => store.list(query),
      nonces: (query) => store.nonces(query),
      nonce: (submitter, nonce) => store.nonce(submitter, nonce),
      defaults: (submitter) => store.defaults(submitter),
      dueForAlignment: (query) => store.dueForAlignment(query),
      updateSettings: async (submitter, settings) => {
        const known = await store.updateSettings(submitter, settings);
        if (known) await this.changed(submitter);
        return known;
      },
      setPaused: async (submitter, paused, reason) => {
        const known = await store.setPaused(submitter, paused, reason);
        if (known) await this.changed(submitter);
        return known;
      },
    };
  }

  ofAlignments(store: AlignmentStore): AlignmentStore {
    return {
      align: async (observation) => {
        try {
          return await store.align(observation);
        } finally {
          // Also when it is refused: a submitter whose chain was reset issues nothing more.
          await this.changed(observation.submitter);
        }
      },
      foresee: (observation) => store.foresee(observation),
      raisesAbove: (submitter, count) => store.raisesAbove(submitter, count),
      lower: (proof) => store.lower(proof),
    };
  }

  ofHeads(store: HeadStore): HeadStore {
    return {
      load: (chainId) => store.load(chainId),
      advance: (step) => store.advance(step),
      freeze: async (chainId, reason) => {
        const paused = await store.freeze(chainId, reason);
        for (const submitter of paused) await this.changed(submitter);
        return paused;
      },
    };
  }

  private async changed(submitter: Submitter): Promise<void> {
    try {
      await this.refresh(submitter);
    } catch (error) {
      this.logger.warn('Redis could not be told of changed limits', {
        submitter,
        reason: String(error),
      });
    }
  }
}
