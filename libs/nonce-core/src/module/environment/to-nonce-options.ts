import type { ChainOptions, NonceModuleOptions } from '../options';
import type { ChainEnvironment } from './chain-environment';
import type { NonceEnvironment } from './nonce-environment';

/** Module options of an environment. The Redis client is the app's to make and to add. */
export function toNonceOptions(environment: NonceEnvironment): NonceModuleOptions {
  const chains = environment.chains.map((chain) => [chain.chainId, toChainOptions(chain)] as const);
  return {
    database: {
      url: environment.databaseUrl,
      schema: environment.databaseSchema,
      poolSize: environment.databasePoolSize,
      preparedStatements: environment.databasePreparedStatements,
      sessionTimeouts: environment.databaseSessionTimeouts,
      allowUnsafe: environment.databaseAllowUnsafe,
    },
    chains: Object.fromEntries(chains),
    ...(environment.defaultChainId === undefined
      ? {}
      : { defaultChainId: environment.defaultChainId }),
    mode: environment.initialMode,
    maxInFlight: environment.maxInFlight,
    redis: { enabled: environment.redisEnabled, keyPrefix: environment.redisKeyPrefix },
    lock: { ttlMs: environment.lockTtlMs, waitMs: environment.lockWaitMs },
    template: {
      retry: {
        maxAttempts: environment.templateRetryMaxAttempts,
        backoffMs: environment.templateRetryBackoffMs,
      },
    },
    allocation: {
      ttlMs: environment.allocationTtlMs,
      exposure: environment.allocationExposure,
      waitMs: environment.allocationWaitMs,
    },
    intent: { signerCheck: environment.intentSignerCheck },
    quarantine: { ms: environment.quarantineMs, release: environment.quarantineRelease },
    shutdown: { deadlineMs: environment.shutdownDeadlineMs },
  };
}

function toChainOptions(chain: ChainEnvironment): ChainOptions {
  return {
    rpcUrls: chain.rpcUrls,
    confirmations: chain.confirmations,
    finalityTag: chain.finalityTag,
    reorgDepth: chain.reorgDepth,
    pollIntervalMs: chain.pollIntervalMs,
    strictNonce: chain.strictNonce,
    ...(chain.maxInFlight === undefined ? {} : { maxInFlight: chain.maxInFlight }),
  };
}
