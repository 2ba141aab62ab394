import { NonceError } from '../domain/errors/nonce-error';
import type { ChainProfile, ConfiguredChain } from '../ports/chain.port';
import type { Logger } from '../ports/logger.port';
import type { Metrics } from '../ports/metrics.port';
import type { ResolvedChain } from './chain-options';

/** What the adapter's package exports; it knows this library, not the other way round. */
interface ChainAdapter {
  createEvmChain(options: {
    readonly profile: ChainProfile;
    readonly rpcUrls: readonly string[];
    readonly wsUrls: readonly string[];
    readonly metrics: Metrics;
    readonly logger: Logger;
  }): ConfiguredChain;
}

export interface ChainObservers {
  readonly metrics: Metrics;
  readonly logger: Logger;
}

const ADAPTER: string = '@noncekit/chain-adapter';

/**
 * Configured chains as the use cases see them. The adapter is loaded only when a chain has RPC
 * URLs, as ORMs load their drivers: who brings own clients does not need it.
 * @throws NonceError NONCE_CONFIG_INVALID when it is needed and not installed.
 */
export async function connectChains(
  chains: readonly ResolvedChain[],
  observers: ChainObservers,
): Promise<readonly ConfiguredChain[]> {
  const needed = chains.some((chain) => chain.source.kind === 'rpc');
  const adapter = needed ? await loadAdapter() : null;
  return chains.map(({ profile, source }) => {
    if (source.kind === 'client') return { profile, ...source.client };
    if (adapter === null) throw new NonceError('NONCE_INTERNAL');
    const { rpcUrls, wsUrls } = source;
    return adapter.createEvmChain({ profile, rpcUrls, wsUrls, ...observers });
  });
}

async function loadAdapter(): Promise<ChainAdapter> {
  try {
    return (await import(ADAPTER)) as ChainAdapter;
  } catch (cause) {
    const detail = `rpcUrls need the package ${ADAPTER}; install it, or give a client`;
    throw new NonceError('NONCE_CONFIG_INVALID', {
      cause,
      errors: [{ pointer: '/chains', detail }],
    });
  }
}
