import { NonceError, type ChainId } from '@noncekit/nonce-core/domain';
import type { ChainRegistry, ConfiguredChain } from '@noncekit/nonce-core/ports';

/** @throws NonceError NONCE_CONFIG_INVALID when a chain id occurs twice. */
export function createChainRegistry(chains: readonly ConfiguredChain[]): ChainRegistry {
  const byId = new Map<ChainId, ConfiguredChain>();
  for (const chain of chains) {
    const { chainId } = chain.profile;
    if (byId.has(chainId)) {
      const detail = `chain ${chainId} is configured twice`;
      throw new NonceError('NONCE_CONFIG_INVALID', { errors: [{ pointer: '/chains', detail }] });
    }
    byId.set(chainId, chain);
  }
  return { find: (chainId) => byId.get(chainId), all: [...chains] };
}
