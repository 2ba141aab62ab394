import type { Hex } from '@noncekit/nonce-core/domain';
import { keccak256, parseTransaction, recoverTransactionAddress } from 'viem';
import type { TransactionSerialized } from 'viem';
import { recoverAuthorizationAddress } from 'viem/utils';

/** A signed transaction as a node reads it. */
export interface ScriptedTransaction {
  readonly hash: Hex;
  readonly rawTx: Hex;
  readonly from: Hex;
  readonly to: Hex | null;
  readonly chainId: number;
  readonly nonce: number;
  readonly value: bigint;
  readonly gas: bigint;
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
  /** EIP-7702: accounts whose count rises by one without a transaction of theirs. */
  readonly authorisations: readonly {
    readonly address: Hex;
    readonly nonce: number;
    readonly delegate: Hex;
  }[];
}

/** null for bytes that are no signed transaction. */
export async function readTransaction(rawTx: Hex): Promise<ScriptedTransaction | null> {
  try {
    const tx = parseTransaction(rawTx);
    const serializedTransaction = rawTx as TransactionSerialized;
    const from = await recoverTransactionAddress({ serializedTransaction });
    const lists = 'authorizationList' in tx ? (tx.authorizationList ?? []) : [];
    const authorisations = await Promise.all(
      lists.map(async (authorization) => ({
        address: lower(await recoverAuthorizationAddress({ authorization })),
        nonce: authorization.nonce,
        delegate: lower(authorization.address),
      })),
    );
    return {
      hash: keccak256(rawTx),
      rawTx,
      from: lower(from),
      to: tx.to == null ? null : lower(tx.to),
      chainId: tx.chainId ?? 0,
      nonce: tx.nonce ?? 0,
      value: tx.value ?? 0n,
      gas: tx.gas ?? 0n,
      maxFeePerGas: tx.maxFeePerGas ?? tx.gasPrice ?? 0n,
      maxPriorityFeePerGas: tx.maxPriorityFeePerGas ?? tx.gasPrice ?? 0n,
      authorisations,
    };
  } catch {
    return null;
  }
}

export function lower(address: string): Hex {
  return address.toLowerCase() as Hex;
}
