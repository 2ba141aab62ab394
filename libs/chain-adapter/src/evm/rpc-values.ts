import { MAX_NONCE, type Hex } from '@noncekit/nonce-core/domain';
import type { BlockContents, BlockRef } from '@noncekit/nonce-core/ports';
import { isRecord } from './json-rpc';

const QUANTITY = /^0x[0-9a-f]{1,16}$/i;
const HASH = /^0x[0-9a-f]{64}$/i;

/** An exact integer in [0, 2^53 - 2]; null for anything else a node may send. */
export function parseQuantity(value: unknown): number | null {
  if (typeof value !== 'string' || !QUANTITY.test(value)) return null;
  const quantity = BigInt(value);
  return quantity <= BigInt(MAX_NONCE) ? Number(quantity) : null;
}

export const toQuantity = (value: number): Hex => `0x${value.toString(16)}`;

/** A 32-byte hash in lower case, so that equal hashes are equal texts. */
export function parseHash(value: unknown): Hex | null {
  return typeof value === 'string' && HASH.test(value) ? (value.toLowerCase() as Hex) : null;
}

/** null when the text is not a block with number, hash and parent. */
export function parseBlock(value: unknown): BlockRef | null {
  if (!isRecord(value)) return null;
  const number = parseQuantity(value['number']);
  const hash = parseHash(value['hash']);
  const parentHash = parseHash(value['parentHash']);
  return number === null || hash === null || parentHash === null
    ? null
    : { number, hash, parentHash };
}

/** null when the text is not a block with the hashes of its transactions. */
export function parseContents(value: unknown): BlockContents | null {
  const block = parseBlock(value);
  if (block === null || !isRecord(value)) return null;
  const listed: unknown = value['transactions'];
  if (!Array.isArray(listed)) return null;
  const transactions = listed.map(parseHash);
  const complete = transactions.filter((hash) => hash !== null);
  return complete.length === transactions.length ? { ...block, transactions: complete } : null;
}

export interface MinedReceipt {
  readonly blockNumber: number;
  readonly blockHash: Hex;
  readonly succeeded: boolean;
}

/**
 * A receipt of exactly this transaction, `none` when the node knows none (or one without a block),
 * `garbage` for anything else.
 */
export function parseReceipt(value: unknown, hash: Hex): MinedReceipt | 'none' | 'garbage' {
  if (value === null) return 'none';
  if (!isRecord(value) || parseHash(value['transactionHash']) !== hash.toLowerCase()) {
    return 'garbage';
  }
  if (value['blockHash'] === null || value['blockNumber'] === null) return 'none';
  const blockNumber = parseQuantity(value['blockNumber']);
  const blockHash = parseHash(value['blockHash']);
  const status = parseQuantity(value['status']);
  if (blockNumber === null || blockHash === null || status === null || status > 1) return 'garbage';
  return { blockNumber, blockHash, succeeded: status === 1 };
}
