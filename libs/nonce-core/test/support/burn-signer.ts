import { createBurnSigner } from '@noncekit/chain-adapter';
import { toHex } from 'viem';
import type { BurnSigner } from '../../src/ports/burn-signer.port';
import type { TestChain } from './test-chain';

/** The private key of one of the chain's funded accounts. */
export function burnKeyOf(chain: TestChain, account: number): `0x${string}` {
  const key = chain.account(account).getHdKey().privateKey;
  if (key === null) throw new Error('an account without a key');
  return toHex(key);
}

/** Signs burns of these accounts on a real chain. */
export function burnSignerOf(chain: TestChain, accounts: readonly number[]): BurnSigner {
  return createBurnSigner({
    privateKeys: accounts.map((account) => burnKeyOf(chain, account)),
    chains: [{ chainId: chain.chainId, rpcUrls: [chain.rpcUrl] }],
  });
}
