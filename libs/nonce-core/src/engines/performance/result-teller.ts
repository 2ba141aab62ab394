import type { CommandAnswer } from '../../ports/engine.port';
import type { IntentPolicy } from '../../ports/fast-epoch-store.port';
import type { FastGrant } from '../../ports/fast-store.port';
import type { GrantCache } from './grant-cache';
import type { RefillDesk } from './refill-desk';
import type { LookRow, SettleDesk } from './settle-desk';
import type { ViewCache } from './view-cache';

export interface TellParts {
  readonly views: ViewCache;
  readonly grants: GrantCache;
  readonly settles: SettleDesk;
  readonly refills: RefillDesk;
}

/** Tells the fast store what Postgres decided about an allocation. */
export class ResultTeller {
  constructor(
    private readonly intents: IntentPolicy,
    private readonly parts: TellParts,
  ) {}

  /** Waited for only where somebody could be granted the nonce before the fast store hears of it. */
  async tell(
    { allocation, changed }: CommandAnswer,
    { own, place }: { readonly own: FastGrant | undefined; readonly place: LookRow | null },
  ): Promise<void> {
    const { id, submitter, nonce, epoch, stage } = allocation;
    const view = this.parts.views.get(submitter) ?? place?.view;
    if (stage === 'GRANTED' || view === undefined) return;
    const { grants, settles } = this.parts;
    const at = { view, id, nonce };
    grants.forget(id);
    if (stage === 'REUSABLE') {
      await this.released(at, view.epoch === epoch);
    } else if (stage !== 'QUARANTINED' || changed) {
      // What was quarantined before may have been handed over since, to be issued as a replacement.
      const told = settles.tell('exposed', at);
      // A later epoch may have been handed it as a free one: it must not be granted there.
      if (own === undefined || view.epoch !== epoch) await told;
    }
  }

  /**
   * Under strict it is free there at once. Under relaxed it comes back by a refill alone: two ways
   * could let it be granted, sent with, and granted again.
   */
  private async released(at: LookRow, isOfThisEpoch: boolean): Promise<void> {
    const { settles, refills } = this.parts;
    if (isOfThisEpoch && this.intents === 'strict') {
      const told = await settles.tell('released', at);
      if (told?.kind === 'done' && told.stage === 'REUSABLE') return;
    } else if (isOfThisEpoch) {
      await settles.tell('park', at);
    }
    // What fails here is done by the next periodic hand-over.
    await refills.refresh(at.view).catch(() => undefined);
  }
}
