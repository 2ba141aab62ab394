import { createHash } from 'node:crypto';
import type { Hex } from '../domain/brand';

/** A transaction of the fake chain. Signing is not imitated: the sender is part of the bytes. */
export interface FakeTransaction {
  readonly from: Hex;
  readonly nonce: number;
  /** What the transaction does; two executions of one payload are a double payment. */
  readonly payload: string;
  readonly feePerGas: number;
}

export interface SignedFakeTransaction {
  readonly rawTx: Hex;
  readonly txHash: Hex;
}

/** The bytes are JSON in hexadecimal and the hash is their SHA-256: stable, unique, readable. */
export function signFake(chainId: number, tx: FakeTransaction): SignedFakeTransaction {
  const { from, nonce, payload, feePerGas } = tx;
  const text = JSON.stringify({ chainId, from: from.toLowerCase(), nonce, payload, feePerGas });
  const rawTx: Hex = `0x${Buffer.from(text).toString('hex')}`;
  return { rawTx, txHash: fakeHash(rawTx) };
}

/** @throws SyntaxError when the bytes were not made by {@link signFake}. */
export function decodeFake(rawTx: Hex): FakeTransaction & { readonly chainId: number } {
  const text = Buffer.from(rawTx.slice(2), 'hex').toString('utf8');
  return JSON.parse(text) as FakeTransaction & { chainId: number };
}

export function fakeHash(text: string): Hex {
  return `0x${createHash('sha256').update(text).digest('hex')}`;
}
