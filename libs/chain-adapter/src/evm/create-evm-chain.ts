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
  wsUrlProblems,
} from './open-provider-pool';
import { EvmChainReader } from './reader';
import { EvmChainSender } from './sender';
import { WebSocketHeads } from './web-socket-heads';

export interface EvmChainOptions {
  readonly profile: ChainProfile;
  /** http or https. The same URL given twice counts once: it could only vouch for itself. */
  readonly rpcUrls: readonly string[];
  /** ws or wss, of providers that announce new heads; none by default. */
  readonly wsUrls?: readonly string[];
  /** Per provider and request, milliseconds; 3000 by default. */
  readonly requestTimeoutMs?: number;
  readonly metrics?: Metrics;
  readonly logger?: Logger;
}

/**
 * One EVM chain over several providers. Makes no request and starts no timer by itself; only
 * `heads.listen` connects, until what it returned is called.
 * @throws NonceError NONCE_CONFIG_INVALID with every problem at once.
 */
export function createEvmChain(options: EvmChainOptions): ConfiguredChain {
  const { profile, metrics = NO_METRICS, logger = NO_LOGGER } = options;
  const timeoutMs = options.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS;
  const { rpcUrls, wsUrls = [] } = options;
  const problems = [
    ...urlProblems(rpcUrls),
    ...wsUrlProblems(wsUrls),
    ...timeoutProblems(timeoutMs),
  ];
  if (problems.length > 0) throw new NonceError('NONCE_CONFIG_INVALID', { errors: problems });
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
    ...(wsUrls.length === 0 ? {} : { heads: new WebSocketHeads({ wsUrls, logger }) }),
  };
}
