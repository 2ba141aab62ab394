import { keccak256, parseGwei, type Hex } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { DEVELOPMENT_MNEMONIC } from '../../../../tools/src/stack/index';
import type { TestChain } from '../support/test-chain';

export interface Transfer {
  readonly chainId: number;
  /** Index of a funded account. */
  readonly account: number;
  readonly nonce: number;
  /** Wei, unlike that of any other operation: it is how the operation is found in the chain. */
  readonly amount: number;
  readonly priorityFeeGwei?: number;
}

export interface SignedTransfer {
  readonly rawTx: Hex;
  readonly txHash: Hex;
}

const RECIPIENT: Hex = '0x00000000000000000000000000000000000000aa';

export async function signTransfer(transfer: Transfer): Promise<SignedTransfer> {
  const account = mnemonicToAccount(DEVELOPMENT_MNEMONIC, { addressIndex: transfer.account });
  const rawTx = await account.signTransaction({
    chainId: transfer.chainId,
    type: 'eip1559',
    nonce: transfer.nonce,
    to: RECIPIENT,
    value: BigInt(transfer.amount),
    gas: 21_000n,
    maxFeePerGas: parseGwei('50'),
    maxPriorityFeePerGas: parseGwei(String(transfer.priorityFeeGwei ?? 1)),
  });
  return { rawTx, txHash: keccak256(rawTx) };
}

/** exec(op): how many transactions with this amount the chain has executed. */
export async function executionsOf(chain: TestChain, amount: number): Promise<number> {
  const { server } = chain;
  const last = Number(await server.rpc('eth_blockNumber'));
  let found = 0;
  for (let number = 0; number <= last; number += 1) {
    const block = (await server.rpc('eth_getBlockByNumber', [
      `0x${number.toString(16)}`,
      true,
    ])) as { transactions: { value: Hex }[] };
    found += block.transactions.filter((tx) => BigInt(tx.value) === BigInt(amount)).length;
  }
  return found;
}

/** Transactions of this account that the chain has executed. */
export async function transactionCount(chain: TestChain, account: number): Promise<number> {
  const { address } = chain.account(account);
  return Number(await chain.server.rpc('eth_getTransactionCount', [address, 'latest']));
}

/** Sends past the product. @throws Error with the node's message. */
export async function sendRaw(rpcUrl: string, rawTx: Hex): Promise<Hex> {
  const response = await fetch(rpcUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'eth_sendRawTransaction',
      params: [rawTx],
    }),
  });
  const reply = (await response.json()) as { result?: Hex; error?: { message: string } };
  if (reply.result === undefined) throw new Error(reply.error?.message ?? 'no result');
  return reply.result;
}
