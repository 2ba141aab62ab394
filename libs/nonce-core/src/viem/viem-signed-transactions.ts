import { LRUCache } from 'lru-cache';
import {
  keccak256,
  parseTransaction,
  recoverTransactionAddress,
  type TransactionSerialized,
} from 'viem';
import type { Hex } from '../domain/brand';
import { NonceError } from '../domain/errors/nonce-error';
import { judgeBump } from './judge-bump';
import type { SignedTransaction, SignedTransactions } from '../template/signed-transactions';

const BYTES = /^0x(?:[0-9a-fA-F]{2})+$/;

/** One transaction is read by its handler, by its intent and by its transport, one after the other. */
const MAX_REMEMBERED = 64;

/** Signed EVM transactions, read with viem. */
export class ViemSignedTransactions implements SignedTransactions {
  private readonly known = new LRUCache<Hex, SignedTransaction>({ max: MAX_REMEMBERED });

  read(rawTx: Hex): SignedTransaction {
    const known = this.known.get(rawTx);
    if (known !== undefined) return known;
    const signed = this.decode(rawTx);
    this.known.set(rawTx, signed);
    return signed;
  }

  async sender(rawTx: Hex): Promise<Hex> {
    const serializedTransaction = rawTx as TransactionSerialized;
    const address = await recoverTransactionAddress({ serializedTransaction });
    return address.toLowerCase() as Hex;
  }

  problemOfBump(original: Hex, bumped: Hex): string | null {
    return judgeBump(original, bumped);
  }

  private decode(rawTx: Hex): SignedTransaction {
    if (!BYTES.test(rawTx)) throw unreadable('must be 0x and pairs of hexadecimal digits');
    const txHash = keccak256(rawTx);
    try {
      const { nonce, chainId } = parseTransaction(rawTx);
      // An absent nonce is RLP's spelling of 0.
      return { txHash, nonce: nonce ?? 0, chainId: chainId ?? null };
    } catch {
      // Some chains have transaction types of their own; the hash is the same function everywhere.
      return { txHash, nonce: null, chainId: null };
    }
  }
}

function unreadable(detail: string): NonceError {
  return new NonceError('NONCE_VALIDATION', { errors: [{ pointer: '/rawTx', detail }] });
}
