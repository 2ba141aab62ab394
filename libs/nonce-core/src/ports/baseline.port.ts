import type { Nonce } from '../domain/nonce';
import type { Submitter } from '../domain/submitter';
import type { SubmitterBaseline } from './allocation-store.port';

/** Finds where a submitter that was never seen starts. Called outside every lock and transaction. */
export interface BaselineSource {
  /**
   * The chain's latest count when the chain is configured, else `startNonce` or 0.
   * @throws NonceError NONCE_CHAIN_UNREACHABLE, NONCE_CHAIN_MISMATCH.
   */
  resolve(submitter: Submitter, startNonce?: Nonce): Promise<Omit<SubmitterBaseline, 'engine'>>;
}
