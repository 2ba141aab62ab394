import type { Submitter } from '../domain/submitter';
import type { TakeOverVerdict } from './fast-epoch-store.port';
import type { FastView } from './fast-store.port';

/** Ends fast epochs in their store and brings all that it knew of them to Postgres. */
export interface EpochHandOver {
  /**
   * Per view where its fresh nonces ended; its facts are rows then, and nothing is granted or settled
   * in it any more. null = its store cannot tell: lost, another incarnation, or no answer. Repeatable
   * by anybody until `forget`.
   * @throws NonceError NONCE_STORE_UNAVAILABLE when Postgres did not take the facts.
   */
  end(views: readonly FastView[]): Promise<readonly (number | null)[]>;
  /** Drops what the fast store keeps of epochs that Postgres has closed. Never rejects. */
  forget(views: readonly FastView[]): Promise<void>;
}

/** As FastEpochStore.takeOver says it; one that is contended is waited for. */
export type TakeOverAnswer = Exclude<TakeOverVerdict, 'contended'>;

/** Brings submitters from a fast engine to the reliable one, live holders included. */
export interface TakeOver {
  /**
   * Resolves once Postgres may issue for the submitter. Callers that ask for one at the same time
   * share the work.
   * @throws NonceError NONCE_MODE_SWITCHING when the mode entitles it to a fast engine by now, or
   *   others are faster again and again; NONCE_STORE_UNAVAILABLE.
   */
  take(submitter: Submitter): Promise<void>;
  /** One answer per view; one that fails does not keep the others. */
  takeAll(views: readonly FastView[]): Promise<readonly (TakeOverAnswer | Error)[]>;
}
