import { createPublicClient, http, keccak256, type Hex, type PublicClient } from 'viem';
import { toChainId } from '../../src/domain/submitter';
import type { ChainClient } from '../../src/module/chain-options';
import type { BlockTag, ReceiptLookup } from '../../src/ports/chain.port';

/** A host's own chain client over one provider: the least that the ports ask for. */
export function viemChainClient(chainId: number, rpcUrl: string): ChainClient {
  const client: PublicClient = createPublicClient({ transport: http(rpcUrl, { retryCount: 0 }) });
  const id = toChainId(chainId);
  return {
    reader: {
      chainId: id,
      genesisHash: async () => (await client.getBlock({ blockNumber: 0n })).hash,
      transactionCount: (address: Hex, blockTag: BlockTag) =>
        client.getTransactionCount({ address, blockTag }),
      block: async (at) => {
        const block =
          typeof at === 'number'
            ? await client.getBlock({ blockNumber: BigInt(at) })
            : await client.getBlock({ blockTag: at === 'pending' ? 'latest' : at });
        const { number, hash, parentHash } = block;
        return { number: Number(number), hash, parentHash };
      },
      blockContents: async (at) => {
        const block = await client.getBlock({ blockNumber: BigInt(at) }).catch(() => null);
        if (block === null) return null;
        const { hash, parentHash, transactions } = block;
        return { number: at, hash, parentHash, transactions };
      },
      receipts: async (hashes) => {
        const found = hashes.map(async (hash): Promise<[Hex, ReceiptLookup]> => {
          const receipt = await client.getTransactionReceipt({ hash }).catch(() => null);
          if (receipt === null) return [hash, { kind: 'absent' }];
          const { blockNumber, blockHash, status } = receipt;
          const succeeded = status === 'success';
          return [hash, { kind: 'found', blockNumber: Number(blockNumber), blockHash, succeeded }];
        });
        return new Map(await Promise.all(found));
      },
      transaction: async (hash) => {
        const receipt = await client.getTransactionReceipt({ hash }).catch(() => null);
        if (receipt !== null) return 'mined';
        const known = await client.getTransaction({ hash }).catch(() => null);
        return known === null ? 'absent' : 'pooled';
      },
    },
    sender: {
      chainId: id,
      send: async (rawTx) => {
        const txHash = keccak256(rawTx);
        try {
          await client.request({ method: 'eth_sendRawTransaction', params: [rawTx] });
          return { outcome: 'accepted', txHash, detail: null };
        } catch (error) {
          return { outcome: 'unknown', txHash, detail: String(error) };
        }
      },
    },
  };
}
