import { NonceError } from '@noncekit/nonce-core/domain';
import {
  NO_METRICS,
  type ChainProfile,
  type ConfiguredChain,
  type Logger,
  type Metrics,
} from '@noncekit/nonce-core/ports';
import {
  DEFAULT_REQUEST_TIMEOUT_MS,
  NO_LOGGER,
  openProviderPool,
  timeoutProblems,
  urlProblems,
} from './open-provider-pool';
import { EvmChainReader } from './reader';
import { EvmChainSender } from './sender';

export interface EvmChainOptions {
  readonly profile: ChainProfile;
  /** http or https. The same URL given twice counts once: it could only vouch for itself. */
  readonly rpcUrls: readonly string[];
  /** Per provider and request, milliseconds; 3000 by default. */
  readonly requestTimeoutMs?: number;
  readonly metrics?: Metrics;
  readonly logger?: Logger;
}

/**
 * One EVM chain over several providers. Makes no request and starts no timer by itself, so there is
 * nothing to close.
 * @throws NonceError NONCE_CONFIG_INVALID with every problem at once.
 */
export function createEvmChain(options: EvmChainOptions): ConfiguredChain {
  const { profile, metrics = NO_METRICS, logger = NO_LOGGER } = options;
  const timeoutMs = options.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS;
  const problems = [...urlProblems(options.rpcUrls), ...timeoutProblems(timeoutMs)];
  if (problems.length > 0) throw new NonceError('NONCE_CONFIG_INVALID', { errors: problems });
  const { rpcUrls } = options;
  const pool = openProviderPool({
    chainId: profile.chainId,
    rpcUrls,
    timeoutMs,
    metrics,
    logger,
  });
  return {
    profile,
    reader: new EvmChainReader(pool),
    sender: new EvmChainSender(pool, logger),
  };
}
