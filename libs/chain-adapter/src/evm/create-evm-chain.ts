import { NonceError, type FieldProblem } from '@noncekit/nonce-core/domain';
import {
  NO_METRICS,
  type ChainProfile,
  type ConfiguredChain,
  type Logger,
  type Metrics,
} from '@noncekit/nonce-core/ports';
import { Provider } from './provider';
import { ProviderPool } from './provider-pool';
import { ProviderUrl } from './provider-url';
import { EvmChainReader } from './reader';
import { RpcEndpoint } from './rpc-endpoint';
import { EvmChainSender } from './sender';

const DEFAULT_REQUEST_TIMEOUT_MS = 3_000;
/** Node's timers fire at once above this. */
const MAX_REQUEST_TIMEOUT_MS = 2 ** 31 - 1;
/** How long a provider that never fails may serve another chain unnoticed. */
const IDENTITY_MAX_AGE_MS = 10_000;

const NO_LOGGER: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

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
  const hrefs = new Set(options.rpcUrls.map((text) => new URL(text).href));
  const providers = [...hrefs].map((href) => {
    const endpoint = new RpcEndpoint({ url: new ProviderUrl(href), timeoutMs, metrics });
    return new Provider({ endpoint, logger, nowMs: () => performance.now() });
  });
  const pool = new ProviderPool({
    chainId: profile.chainId,
    providers,
    identityMaxAgeMs: IDENTITY_MAX_AGE_MS,
  });
  return {
    profile,
    reader: new EvmChainReader(pool),
    sender: new EvmChainSender(pool, logger),
  };
}

function urlProblems(rpcUrls: readonly string[]): readonly FieldProblem[] {
  if (rpcUrls.length === 0) return [{ pointer: '/rpcUrls', detail: 'needs at least one URL' }];
  return rpcUrls.flatMap((text, i) => {
    const usable = URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
    return usable ? [] : [{ pointer: `/rpcUrls/${i}`, detail: 'must be an http or https URL' }];
  });
}

function timeoutProblems(timeoutMs: number): readonly FieldProblem[] {
  const usable =
    Number.isInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= MAX_REQUEST_TIMEOUT_MS;
  const detail = `must be an integer in [1, ${MAX_REQUEST_TIMEOUT_MS}]`;
  return usable ? [] : [{ pointer: '/requestTimeoutMs', detail }];
}
