import type { Exposure } from '../domain/allocation';
import type { Hex } from '../domain/brand';
import type { EarlierRuns } from './exposure-record';

/** What an error thrown by a handler proves by itself. */
export type ErrorVerdict = 'clean' | 'exposed';

export type HandlerEnd =
  | { readonly kind: 'success'; readonly value: unknown; readonly txHash: Hex | undefined }
  | {
      readonly kind: 'retry';
      readonly note: string | undefined;
      readonly verdict: ErrorVerdict;
      readonly cause: unknown;
    }
  | { readonly kind: 'keep'; readonly note: string | undefined }
  | { readonly kind: 'fail'; readonly reason: string }
  | { readonly kind: 'threw'; readonly error: unknown; readonly verdict: ErrorVerdict };

export interface HandlingFacts {
  readonly exposure: Exposure;
  readonly intents: 'none' | 'written' | 'unanswered';
  readonly nonceRead: boolean;
  readonly notBroadcast: boolean;
  readonly earlierRuns: EarlierRuns;
  /** The store answered an intent with "not yours"; nothing had left before. */
  readonly lost: boolean;
  readonly attemptsLeft: number;
}

/**
 * `used`            record success
 * `recycle`         give the nonce back and reject with what the handler said
 * `quarantine`      keep it from clean reuse and reject: the outcome is unknown
 * `exposed`         an intent is recorded, the tracker goes on; reject: the outcome is unknown
 * `keep`            leave it reserved
 * `run-again`       same nonce, next run
 * `exhausted`       leave it reserved and reject
 * `allocate-again`  forget it, it is somebody else's; allocate and run anew
 */
export type SettlementKind =
  | 'used'
  | 'recycle'
  | 'quarantine'
  | 'exposed'
  | 'keep'
  | 'run-again'
  | 'exhausted'
  | 'allocate-again';

/** Design, "exposure of handlers": one decision for every end of a handler. */
export function decideSettlement(end: HandlerEnd, facts: HandlingFacts): SettlementKind {
  switch (end.kind) {
    case 'success':
      return 'used';
    case 'keep':
      return 'keep';
    case 'retry':
      if (facts.lost) return forgetOr(mayHaveSent(end.verdict, facts), facts);
      return facts.attemptsLeft > 0 ? 'run-again' : 'exhausted';
    case 'fail':
      return giveBackOr(mayHaveSentDespiteFail(facts), facts);
    case 'threw': {
      const maybeSent = mayHaveSent(end.verdict, facts);
      return facts.lost ? forgetOr(maybeSent, facts) : giveBackOr(maybeSent, facts);
    }
  }
}

/** Whether bytes may be out although no run succeeded. */
export function mayHaveSent(verdict: ErrorVerdict, facts: HandlingFacts): boolean {
  if (facts.intents !== 'none') return true;
  if (facts.exposure === 'declared') return false;
  if (facts.earlierRuns === 'maybe-sent-elsewhere') return true;
  if (facts.notBroadcast) return false;
  if (facts.earlierRuns === 'maybe-sent') return true;
  if (!facts.nonceRead || facts.lost) return facts.nonceRead && facts.exposure === 'assumed';
  return facts.exposure === 'assumed' || verdict === 'exposed';
}

/**
 * `fail` is the handler's own word that nothing left, for all its runs. It cannot speak for a run
 * of another process, whose success may be the very reason why this run failed.
 */
function mayHaveSentDespiteFail(facts: HandlingFacts): boolean {
  if (facts.intents !== 'none') return true;
  return facts.exposure !== 'declared' && facts.earlierRuns === 'maybe-sent-elsewhere';
}

function giveBackOr(maybeSent: boolean, facts: HandlingFacts): SettlementKind {
  if (!maybeSent) return 'recycle';
  return facts.intents === 'written' ? 'exposed' : 'quarantine';
}

function forgetOr(maybeSent: boolean, facts: HandlingFacts): SettlementKind {
  return maybeSent ? giveBackOr(true, facts) : 'allocate-again';
}
