import { isNonceError, NonceError } from '../../domain/errors/nonce-error';
import { MAX_NONCE } from '../../domain/nonce';
import type { Submitter } from '../../domain/submitter';
import type { FastView } from '../../ports/fast-store.port';
import type { EpochEntrance } from './epoch-entrance';
import type { AllocateCall, Leftover } from './leftovers';
import type { OpeningPatience } from './opening-patience';
import type { RefillDesk } from './refill-desk';
import type { ViewCache } from './view-cache';

export interface DetourParts {
  readonly views: ViewCache;
  readonly entrance: EpochEntrance;
  readonly refills: RefillDesk;
  readonly patience: OpeningPatience;
  /** @throws NonceError NONCE_MODE_SWITCHING when the mode entitles another engine by now. */
  readonly entitled: (submitter: Submitter) => Promise<void>;
}

/** Gets one submitter what its calls lack, so that they can be asked again. */
export class Detour {
  constructor(private readonly parts: DetourParts) {}

  /** @throws NonceError when it cannot be had: then its calls are refused with that. */
  async provide({ submitter, view, lack, calls }: Leftover): Promise<void> {
    if (view === undefined || lack === 'epoch') {
      const startNonce = calls[0]?.request.startNonce;
      await this.parts.entrance.enter(submitter, calls.length, startNonce);
      return;
    }
    switch (lack.kind) {
      case 'refill':
        await this.refill(view, calls, lack.ceiling);
        return;
      case 'refused':
        await this.askLimits(view, calls);
        return;
      case 'stale':
        if (await this.parts.patience.mayOpenYet(view, lack)) return;
        if (lack.reason === 'mode' || lack.reason === 'drain') await this.parts.entitled(submitter);
        this.parts.views.burn(view);
        return;
    }
  }

  private async refill(
    view: FastView,
    calls: readonly AllocateCall[],
    ceiling: number,
  ): Promise<void> {
    const wanted = calls.reduce((sum, { request }) => sum + request.row.ids.length, 0);
    const end = await this.parts.refills.exhausted(view, ceiling, wanted);
    if (end.kind !== 'full') return;
    // The limits are as fresh as they can be: once more, and then what they say is final.
    for (const call of calls) {
      if (end.ceiling > MAX_NONCE) call.reject(new NonceError('NONCE_OUT_OF_RANGE'));
      else if (call.request.limitsAsked) call.reject(new NonceError('NONCE_IN_FLIGHT_LIMIT'));
      call.request.limitsAsked = true;
    }
  }

  /** A refusal stands as long as nothing newer is known. */
  private async askLimits(view: FastView, calls: readonly AllocateCall[]): Promise<void> {
    for (const { request } of calls) request.limitsAsked = true;
    try {
      await this.parts.refills.refresh(view);
    } catch (error) {
      if (!isNonceError(error, 'NONCE_STORE_UNAVAILABLE')) throw error;
    }
  }
}
