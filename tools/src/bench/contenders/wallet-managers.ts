import { NonceManager, VoidSigner, type Provider } from 'ethers';
import { createNonceManager, type Client } from 'viem';

const ADDRESS = '0x00000000000000000000000000000000000000ff';

/** viem's manager over a source that answers at once, so that only the manager is measured. */
export function viemManager(): () => Promise<number> {
  const manager = createNonceManager({ source: { get: () => 1, set: () => undefined } });
  // The source above makes no request, so the client is never used.
  const client = {} as Client;
  return () => manager.consume({ address: ADDRESS, chainId: 1, client });
}

/** ethers's manager, asked the way its `sendTransaction` asks, over a provider that answers at once. */
export function ethersManager(): () => Promise<number> {
  const provider = { getTransactionCount: async () => 1 } as unknown as Provider;
  const manager = new NonceManager(new VoidSigner(ADDRESS, provider));
  return () => {
    const nonce = manager.getNonce('pending');
    manager.increment();
    return nonce;
  };
}
