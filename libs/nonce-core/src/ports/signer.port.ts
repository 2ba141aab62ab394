import type { Hex } from '../domain/brand';
import type { Nonce } from '../domain/nonce';
import type { ChainId } from '../domain/submitter';
import type { BurnSigning } from './burn-signer.port';

/** A transaction that does not get into a block for its fee. */
export interface BumpRequest {
  readonly chainId: ChainId;
  /** The account that pays, lower-case. */
  readonly address: Hex;
  readonly nonce: Nonce;
  /** The bytes whose payload is signed again: recipient, value, data, gas and nonce stay as they are. */
  readonly rawTx: Hex;
  /** Every hash recorded at this nonce, oldest first; a pool may hold one of them. */
  readonly hashes: readonly Hex[];
  /**
   * Signed bytes that may be out at this nonce. Both fees of the new ones are at least 10% above
   * theirs (a blob transaction: twice), and not below what the chain asks for now.
   */
  readonly outbid: readonly Hex[];
}

/** As for burns: `refused` needs somebody's decision, `unavailable` is the lack of an answer. */
export type BumpSigning = BurnSigning;

/**
 * Signs a transaction again at a higher fee. Never sends: the bytes leave only after their hash is
 * recorded beside the others of the same nonce, and are thrown away when that fails. What comes back
 * is decoded and compared: other work, or too low a fee in either field, is refused. Asked outside of
 * transactions, for several nonces at once; each call may sign anew.
 */
export interface TransactionSigner {
  bump(request: BumpRequest): Promise<BumpSigning>;
}
