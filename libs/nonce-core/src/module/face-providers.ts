import type { Provider } from '@nestjs/common';
import { ReliableEngine } from '../engines/reliable/reliable-engine';
import type { ChainRegistry } from '../ports/chain.port';
import type { Clock } from '../ports/clock.port';
import type { HealthProbe } from '../ports/health.port';
import type { Logger } from '../ports/logger.port';
import type { Metrics } from '../ports/metrics.port';
import type { SubmitterStore } from '../ports/submitter-store.port';
import { AlignWithChain } from '../recovery/align-with-chain';
import { NonceEngineManager } from '../routing/engine-manager';
import { NonceExecutionTemplate } from '../template/nonce-execution-template';
import type { SignedTransactions } from '../template/signed-transactions';
import { SubmitterDefaultsCache } from '../template/submitter-defaults';
import { ViemSignedTransactions } from '../viem/viem-signed-transactions';
import { LockConnection } from './lock-connection';
import { NonceComponent } from './nonce-component';
import { NonceHealthIndicator } from './nonce-health-indicator';
import { NonceLifecycle } from './nonce-lifecycle';
import { NonceRecoveryService } from './nonce-recovery-service';
import type { OpenDatabase } from './open-database';
import type { ResolvedNonceOptions } from './options';
import {
  CHAIN_REGISTRY,
  DATABASE,
  HEALTH_PROBES,
  NONCE_CLOCK,
  NONCE_LOGGER,
  NONCE_METRICS,
  NONCE_OPTIONS,
  SIGNED_TRANSACTIONS,
  SUBMITTER_STORE,
} from './tokens';

/** Template and facade: the same over every engine. */
export function faceProviders(): Provider[] {
  return [
    templateProvider(),
    {
      provide: NonceComponent,
      inject: [
        NonceExecutionTemplate,
        NonceEngineManager,
        SIGNED_TRANSACTIONS,
        SubmitterDefaultsCache,
        NONCE_OPTIONS,
      ],
      useFactory: (
        ...[template, manager, transactions, defaults, options]: [
          NonceExecutionTemplate,
          NonceEngineManager,
          SignedTransactions,
          SubmitterDefaultsCache,
          ResolvedNonceOptions,
        ]
      ) =>
        new NonceComponent({
          template,
          manager,
          transactions,
          defaults,
          settings: options.template,
          defaultChainId: options.defaultChainId ?? undefined,
        }),
    },
  ];
}

/** Settings, health, recovery and the end of everything: these need the real stores. */
export function operationProviders(): Provider[] {
  return [
    { provide: SIGNED_TRANSACTIONS, useFactory: () => new ViemSignedTransactions() },
    {
      provide: SubmitterDefaultsCache,
      inject: [SUBMITTER_STORE],
      useFactory: (store: SubmitterStore) => new SubmitterDefaultsCache(store),
    },
    {
      provide: NonceRecoveryService,
      inject: [AlignWithChain, NONCE_OPTIONS],
      useFactory: (alignment: AlignWithChain, options: ResolvedNonceOptions) =>
        new NonceRecoveryService(alignment, options.defaultChainId ?? undefined),
    },
    {
      provide: NonceHealthIndicator,
      inject: [HEALTH_PROBES, NONCE_METRICS],
      useFactory: (probes: readonly HealthProbe[], metrics: Metrics) =>
        new NonceHealthIndicator(probes, metrics),
    },
    {
      provide: NonceLifecycle,
      inject: [NonceExecutionTemplate, ReliableEngine, LockConnection, DATABASE, NONCE_OPTIONS],
      useFactory: (
        ...[template, engine, locks, database, options]: [
          NonceExecutionTemplate,
          ReliableEngine,
          LockConnection,
          OpenDatabase,
          ResolvedNonceOptions,
        ]
      ) =>
        new NonceLifecycle(
          { template, engines: [engine], connections: [locks, database] },
          options.shutdown.deadlineMs,
        ),
    },
  ];
}

function templateProvider(): Provider {
  return {
    provide: NonceExecutionTemplate,
    inject: [
      NonceEngineManager,
      CHAIN_REGISTRY,
      SIGNED_TRANSACTIONS,
      SubmitterDefaultsCache,
      NONCE_CLOCK,
      NONCE_METRICS,
      NONCE_LOGGER,
      NONCE_OPTIONS,
    ],
    useFactory: (
      ...[engine, chains, transactions, defaults, clock, metrics, logger, options]: [
        NonceEngineManager,
        ChainRegistry,
        SignedTransactions,
        SubmitterDefaultsCache,
        Clock,
        Metrics,
        Logger,
        ResolvedNonceOptions,
      ]
    ) =>
      new NonceExecutionTemplate(
        { engine, chains, transactions, defaults, clock, metrics, logger },
        options.template,
        options.defaultChainId ?? undefined,
      ),
  };
}
