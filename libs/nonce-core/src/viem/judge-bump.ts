import { parseTransaction, type TransactionSerializable } from 'viem';
import type { Hex } from '../domain/brand';

/** Percent of the old fee that pools ask of a replacement, in every field (geth, EIP-4844). */
const LEAST_PERCENT = 110n;
const LEAST_BLOB_PERCENT = 200n;

type Parsed = TransactionSerializable;

/** What a transaction does, and how far it can get. */
const PAYLOAD = ['type', 'chainId', 'nonce', 'to', 'value', 'data', 'gas'] as const;

/**
 * Compares by decoding both: the same work, and each fee high enough for a pool to replace the one
 * by the other. Bytes that cannot be decoded are refused, since nothing can be said of them.
 */
export function judgeBump(original: Hex, bumped: Hex): string | null {
  const [old, next] = [parsed(original), parsed(bumped)];
  if (old === null || next === null) return 'bytes that cannot be decoded';
  const other = PAYLOAD.find((field) => spelled(old, field) !== spelled(next, field));
  if (other !== undefined) return `other work: its ${other} differs`;
  if (JSON.stringify(lists(old)) !== JSON.stringify(lists(next))) {
    return 'other work: its lists differ';
  }
  const blob = old.type === 'eip4844';
  const low = fees(old).find(([name, fee]) => {
    const offered = fees(next).find(([other]) => other === name)?.[1] ?? 0n;
    return offered * 100n < fee * (blob ? LEAST_BLOB_PERCENT : LEAST_PERCENT);
  });
  return low === undefined ? null : `too low a ${low[0]}`;
}

function parsed(rawTx: Hex): Parsed | null {
  try {
    return parseTransaction(rawTx);
  } catch {
    return null;
  }
}

/** RLP spells 0 and nothing the same way; addresses have several spellings. */
function spelled(tx: Parsed, field: (typeof PAYLOAD)[number]): string {
  const value: string | number | bigint | null | undefined = tx[field];
  if (value === undefined || value === null || value === '0x') return '';
  if (value === 0 || value === 0n) return '';
  return typeof value === 'string' ? value.toLowerCase() : String(value);
}

function lists(tx: Parsed): readonly unknown[] {
  const { accessList, blobVersionedHashes, authorizationList } = tx;
  const text = (value: unknown): string =>
    JSON.stringify(value ?? [], (_, each: unknown) =>
      typeof each === 'bigint' ? each.toString() : each,
    ).toLowerCase();
  return [accessList, blobVersionedHashes, authorizationList].map(text);
}

function fees(tx: Parsed): readonly (readonly [string, bigint])[] {
  const named = {
    gasPrice: tx.gasPrice,
    maxFeePerGas: tx.maxFeePerGas,
    maxPriorityFeePerGas: tx.maxPriorityFeePerGas,
    maxFeePerBlobGas: tx.maxFeePerBlobGas,
  };
  return Object.entries(named).flatMap(([name, fee]) =>
    fee === undefined ? [] : [[name, fee] as const],
  );
}
