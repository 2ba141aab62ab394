import { isNonceError } from '../domain/errors/nonce-error';
import type { Submitter } from '../domain/submitter';
import type { FastEpochStore } from '../ports/fast-epoch-store.port';
import type { FastStore, FastView, Incarnation } from '../ports/fast-store.port';
import type { Logger } from '../ports/logger.port';

export interface TendFastEpochsDeps {
  readonly epochs: Pick<FastEpochStore, 'listRuling' | 'close'>;
  readonly fast: Pick<FastStore, 'shardOf' | 'incarnationOf' | 'reclaim' | 'retire'>;
  readonly logger: Logger;
}

interface TendSettings {
  /** Time without an allocation after which the unused nonces go back to Postgres. */
  readonly idleCloseMs: number;
  /** Epochs looked at in one tick. */
  readonly pageSize: number;
}

/**
 * Looks after epochs whose nodes are gone. Whoever issues for a submitter takes back what expired
 * and closes the epoch when it is idle; when nobody does, only the row in Postgres still tells that
 * there is one. An epoch of a fast store that is no more is closed too: its reservations have
 * nobody else who could end them. Pages through all epochs, a page per tick, so that a lost store
 * causes no storm. Any number of workers may do so.
 */
export class TendFastEpochs {
  private after: Submitter | null = null;

  constructor(
    private readonly deps: TendFastEpochsDeps,
    private readonly settings: TendSettings,
  ) {}

  /** Returns how many epochs were closed. */
  async tick(signal: AbortSignal): Promise<number> {
    const { pageSize } = this.settings;
    const views = await this.deps.epochs.listRuling(this.after, pageSize);
    this.after = views.length < pageSize ? null : (views.at(-1)?.submitter ?? null);
    const incarnations = await this.incarnationsOf(views);
    const here = views.filter((view) => incarnations.get(this.shardOf(view)) === view.incarnation);
    if (here.length > 0) await this.deps.fast.reclaim(here, pageSize);
    let closed = 0;
    for (const view of views) {
      if (signal.aborted) break;
      const now = incarnations.get(this.shardOf(view));
      if (now !== undefined && (await this.close(view, now))) closed += 1;
    }
    return closed;
  }

  /** By shard; one that does not answer is left for a later tick. */
  private async incarnationsOf(views: readonly FastView[]): Promise<Map<number, Incarnation>> {
    const found = new Map<number, Incarnation>();
    const shards = new Map(views.map((view) => [this.shardOf(view), view.submitter]));
    for (const [shard, submitter] of shards) {
      try {
        found.set(shard, await this.deps.fast.incarnationOf(submitter));
      } catch (error) {
        if (!isNonceError(error, 'NONCE_STORE_UNAVAILABLE')) throw error;
      }
    }
    return found;
  }

  private async close(view: FastView, now: Incarnation): Promise<boolean> {
    const { epochs, fast, logger } = this.deps;
    try {
      if (now !== view.incarnation) return await epochs.close(view, null, 'another fast store');
      const retired = await fast.retire(view, this.settings.idleCloseMs);
      return retired !== null && (await epochs.close(view, retired.next, 'idle'));
    } catch (error) {
      if (!isNonceError(error, 'NONCE_STORE_UNAVAILABLE')) throw error;
      const { submitter, epoch } = view;
      logger.warn('an unused epoch was not closed', { submitter, epoch, reason: error.message });
      return false;
    }
  }

  private shardOf(view: FastView): number {
    return this.deps.fast.shardOf(view.submitter);
  }
}
