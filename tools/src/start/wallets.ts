import { createPublicClient, createWalletClient, http, parseEther, type Chain } from 'viem';
import {
  generatePrivateKey,
  mnemonicToAccount,
  privateKeyToAccount,
  type PrivateKeyAccount,
} from 'viem/accounts';
import type { StackChain } from '../stack/stack';

export interface DemoWallet {
  readonly account: PrivateKeyAccount;
  readonly privateKey: `0x${string}`;
}

export function describeChain(chain: StackChain): Chain {
  return {
    id: chain.chainId,
    name: 'demo',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [chain.rpcUrl] } },
  };
}

/**
 * New wallets, so that every nonce from 0 on is the demo's own, funded by the first account of the
 * development chain.
 */
export async function fundWallets(chain: StackChain, count: number): Promise<DemoWallet[]> {
  if (chain.mnemonic === undefined) {
    throw new Error(
      'the demo pays from a development chain of its own\n  fix: unset NONCE_CHAIN_…, or use --no-demo',
    );
  }
  const transport = http(chain.rpcUrl);
  const described = describeChain(chain);
  const bank = createWalletClient({
    account: mnemonicToAccount(chain.mnemonic),
    chain: described,
    transport,
  });
  const reader = createPublicClient({ chain: described, transport });
  const wallets: DemoWallet[] = [];
  for (let index = 0; index < count; index += 1) {
    const privateKey = generatePrivateKey();
    const account = privateKeyToAccount(privateKey);
    const hash = await bank.sendTransaction({ to: account.address, value: parseEther('10') });
    await reader.waitForTransactionReceipt({ hash, pollingInterval: 100 });
    wallets.push({ account, privateKey });
  }
  return wallets;
}
