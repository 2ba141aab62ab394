import type { ChainId, FieldProblem } from '@noncekit/nonce-core/domain';
import type { Logger, Metrics } from '@noncekit/nonce-core/ports';
import { Provider } from './provider';
import { ProviderPool } from './provider-pool';
import { ProviderUrl } from './provider-url';
import { RpcEndpoint } from './rpc-endpoint';

export const DEFAULT_REQUEST_TIMEOUT_MS = 3_000;
/** Node's timers fire at once above this. */
const MAX_REQUEST_TIMEOUT_MS = 2 ** 31 - 1;
/** How long a provider that never fails may serve another chain unnoticed. */
const IDENTITY_MAX_AGE_MS = 10_000;

export const NO_LOGGER: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

interface PoolOptions {
  readonly chainId: ChainId;
  /** Checked by `urlProblems`. */
  readonly rpcUrls: readonly string[];
  readonly timeoutMs: number;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** Makes no request and starts no timer by itself, so there is nothing to close. */
export function openProviderPool(options: PoolOptions): ProviderPool {
  const { chainId, timeoutMs, metrics, logger } = options;
  const hrefs = new Set(options.rpcUrls.map((text) => new URL(text).href));
  const providers = [...hrefs].map((href) => {
    const endpoint = new RpcEndpoint({ url: new ProviderUrl(href), timeoutMs, metrics });
    return new Provider({ endpoint, logger, nowMs: () => performance.now() });
  });
  return new ProviderPool({ chainId, providers, identityMaxAgeMs: IDENTITY_MAX_AGE_MS });
}

export function urlProblems(rpcUrls: readonly string[]): readonly FieldProblem[] {
  if (rpcUrls.length === 0) return [{ pointer: '/rpcUrls', detail: 'needs at least one URL' }];
  return rpcUrls.flatMap((text, i) => {
    if (isUrl(text, /^https?:$/)) return [];
    return [{ pointer: `/rpcUrls/${i}`, detail: 'must be an http or https URL' }];
  });
}

export function wsUrlProblems(wsUrls: readonly string[]): readonly FieldProblem[] {
  return wsUrls.flatMap((text, i) => {
    if (isUrl(text, /^wss?:$/)) return [];
    return [{ pointer: `/wsUrls/${i}`, detail: 'must be a ws or wss URL' }];
  });
}

function isUrl(text: string, protocol: RegExp): boolean {
  return URL.canParse(text) && protocol.test(new URL(text).protocol);
}

export function timeoutProblems(timeoutMs: number): readonly FieldProblem[] {
  const usable =
    Number.isInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= MAX_REQUEST_TIMEOUT_MS;
  const detail = `must be an integer in [1, ${MAX_REQUEST_TIMEOUT_MS}]`;
  return usable ? [] : [{ pointer: '/requestTimeoutMs', detail }];
}
