import type { ChainOptions } from '../chain-options';
import type { AlarmOptions, NonceModuleOptions } from '../options';
import type { SwitchingOptions } from '../modes/switching-options';
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
    ...fastOptions(environment),
    alarms: alarmOptions(environment),
    ...switchingOptions(environment),
    redis: {
      enabled: environment.redisEnabled,
      keyPrefix: environment.redisKeyPrefix,
      shards: environment.redisShards,
    },
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
    tracking: {
      stuckAfterMs: environment.stuckAfterMs,
      resend: { perMinute: environment.resendPerMinute, total: environment.resendTotal },
    },
    retention: { transitionsMs: environment.retentionTransitionsMs },
    shutdown: { deadlineMs: environment.shutdownDeadlineMs },
  };
}

type FastOptions = Required<Pick<NonceModuleOptions, 'performance' | 'flush' | 'recovery'>>;

function fastOptions(environment: NonceEnvironment): FastOptions {
  const { continuityIntervalMs, witnessDir } = environment;
  const recovery = {
    continuityIntervalMs,
    auto: environment.recoveryAuto,
    floorLagThreshold: environment.recoveryFloorLagThreshold,
  };
  return {
    performance: {
      strategy: environment.performanceStrategy,
      intents: environment.performanceIntents,
      prefetch: {
        size: environment.prefetchSize,
        lowWater: environment.prefetchLowWater,
        max: environment.prefetchMax,
        idleCloseMs: environment.prefetchIdleCloseMs,
      },
    },
    flush: {
      batchMax: environment.flushBatchMax,
      intervalMs: environment.flushIntervalMs,
      streamMax: environment.flushStreamMax,
      retries: environment.flushRetries,
      maxDeliveries: environment.flushMaxDeliveries,
      syncWriteFallback: environment.flushSyncWriteFallback,
    },
    recovery: { ...recovery, ...(witnessDir === undefined ? {} : { witnessDir }) },
  };
}

function alarmOptions(environment: NonceEnvironment): AlarmOptions {
  const { alarmWebhookUrl: webhookUrl, alarmWebhookSecret: webhookSecret } = environment;
  return {
    reservedAgeMs: environment.alarmReservedAgeMs,
    recyclableGrowth: environment.alarmRecyclableGrowth,
    chainLag: environment.alarmChainLag,
    alignmentAgeMs: environment.alarmAlignmentAgeMs,
    redisDownMs: environment.alarmRedisDownMs,
    ...(webhookUrl === undefined ? {} : { webhookUrl }),
    ...(webhookSecret === undefined ? {} : { webhookSecret }),
  };
}

function switchingOptions(environment: NonceEnvironment): SwitchingOptions {
  return {
    degrade: {
      onRedisFailure: environment.degradeOnRedisFailure,
      failures: environment.degradeFailures,
      windowMs: environment.degradeWindowMs,
      probeIntervalMs: environment.degradeProbeIntervalMs,
      returnAfterMs: environment.degradeReturnAfterMs,
      maxDwellMs: environment.degradeMaxDwellMs,
    },
    modes: {
      waitMs: environment.modesWaitMs,
      pollMs: environment.modesPollMs,
      drainDeadlineMs: environment.modesDrainDeadlineMs,
    },
    autoPromote: {
      enabled: environment.autoPromote,
      allocationsPerSecond: environment.autoPromoteAllocationsPerSecond,
      sustainedMs: environment.autoPromoteSustainedMs,
    },
    health: {
      queueMax: environment.healthQueueMax,
      queueAgeMs: environment.healthQueueAgeMs,
      flushSuccessPercent: environment.healthFlushSuccessPercent,
      databaseLatencyMs: environment.healthDatabaseLatencyMs,
    },
  };
}

function toChainOptions(chain: ChainEnvironment): ChainOptions {
  return {
    rpcUrls: chain.rpcUrls,
    wsUrls: chain.wsUrls,
    confirmations: chain.confirmations,
    finalityTag: chain.finalityTag,
    reorgDepth: chain.reorgDepth,
    pollIntervalMs: chain.pollIntervalMs,
    strictNonce: chain.strictNonce,
    ...(chain.maxInFlight === undefined ? {} : { maxInFlight: chain.maxInFlight }),
  };
}
