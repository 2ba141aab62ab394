import type { Hex } from '../domain/brand';

export interface SignedTransaction {
  readonly txHash: Hex;
  /** null when the bytes are of a transaction type this reader cannot decode. */
  readonly nonce: number | null;
  readonly chainId: number | null;
}

/** Reads signed bytes without a network. Implemented over viem, which knows the formats. */
export interface SignedTransactions {
  /** @throws NonceError NONCE_VALIDATION when the bytes are no signed transaction. */
  read(rawTx: Hex): SignedTransaction;
  /** The account that signed, lower-case. */
  sender(rawTx: Hex): Promise<Hex>;
  /**
   * Why `bumped` may not take the place of `original`: it does other work, or one of its fees is below
   * what pools ask of a replacement. null when it may.
   */
  problemOfBump(original: Hex, bumped: Hex): string | null;
}
