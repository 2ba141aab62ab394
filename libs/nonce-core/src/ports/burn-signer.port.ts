import type { Hex } from '../domain/brand';
import type { Nonce } from '../domain/nonce';
import type { ChainId } from '../domain/submitter';

/** A nonce that is to be closed, and what may compete for it. */
export interface BurnRequest {
  readonly chainId: ChainId;
  /** The account, lower-case; it pays, and it is the recipient too. */
  readonly address: Hex;
  readonly nonce: Nonce;
  /** Every hash recorded at this nonce, oldest first; a pool may hold one of them. */
  readonly hashes: readonly Hex[];
  /** Signed bytes that may be out at this nonce: both fees of the burn are at least 12.5% above theirs. */
  readonly outbid: readonly Hex[];
}

/**
 * `refused` needs somebody's decision (an unknown account, a fee above the bound); it is reported and
 * asked again with growing pauses. `unavailable` is the lack of an answer and decides nothing.
 */
export type BurnSigning =
  | { readonly kind: 'signed'; readonly rawTx: Hex; readonly txHash: Hex }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unavailable'; readonly cause: string };

/**
 * Signs transfers of nothing from an account to itself. Never sends: the bytes leave only after they
 * are recorded and the holder of the nonce is fenced, and are thrown away when that fails. Each call
 * may sign anew. Asked outside of transactions, for several nonces at once.
 */
export interface BurnSigner {
  sign(request: BurnRequest): Promise<BurnSigning>;
}
