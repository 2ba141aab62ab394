import type { PublicClient } from 'viem';

/** What the chain alone says about one wallet. */
export interface WalletProof {
  readonly address: string;
  /** Transaction count of the account. */
  readonly chainCount: number;
  readonly mined: number;
  /** Nonces below the highest mined one that no block contains. */
  readonly gaps: readonly number[];
  /** Nonces that more than one mined transaction carries. */
  readonly duplicates: readonly number[];
  /** How often each paid amount occurs; 1 everywhere, or something was paid twice. */
  readonly payments: ReadonlyMap<bigint, number>;
}

/** Reads every block and lists what the wallets sent. */
export async function proveFromChain(
  client: PublicClient,
  addresses: readonly string[],
): Promise<readonly WalletProof[]> {
  const sent = new Map(addresses.map((address) => [address.toLowerCase(), [] as Mined[]]));
  const head = await client.getBlockNumber({ cacheTime: 0 });
  for (let number = 0n; number <= head; number += 1n) {
    const block = await client.getBlock({ blockNumber: number, includeTransactions: true });
    for (const transaction of block.transactions) {
      const { nonce, value } = transaction;
      sent.get(transaction.from.toLowerCase())?.push({ nonce, value });
    }
  }
  return Promise.all(
    addresses.map(async (address) => {
      const chainCount = await client.getTransactionCount({ address: address as `0x${string}` });
      return { address, chainCount, ...judge(sent.get(address.toLowerCase()) ?? []) };
    }),
  );
}

interface Mined {
  readonly nonce: number;
  readonly value: bigint;
}

/** Pure: what a list of mined transactions of one account shows. */
export function judge(
  mined: readonly Mined[],
): Pick<WalletProof, 'mined' | 'gaps' | 'duplicates' | 'payments'> {
  const seen = new Map<number, number>();
  const payments = new Map<bigint, number>();
  for (const { nonce, value } of mined) {
    seen.set(nonce, (seen.get(nonce) ?? 0) + 1);
    payments.set(value, (payments.get(value) ?? 0) + 1);
  }
  const highest = Math.max(-1, ...seen.keys());
  const gaps: number[] = [];
  for (let nonce = 0; nonce <= highest; nonce += 1) if (!seen.has(nonce)) gaps.push(nonce);
  const duplicates = [...seen].filter(([, times]) => times > 1).map(([nonce]) => nonce);
  return { mined: mined.length, gaps, duplicates, payments };
}
