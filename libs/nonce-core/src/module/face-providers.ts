import type { Provider } from '@nestjs/common';
import { MirrorBuffer } from '../engines/dual-write/mirror-buffer';
import { PerformanceEngine } from '../engines/performance/performance-engine';
import { ReliableEngine } from '../engines/reliable/reliable-engine';
import type { ChainRegistry } from '../ports/chain.port';
import type { Clock } from '../ports/clock.port';
import type { HealthProbe } from '../ports/health.port';
import type { Logger } from '../ports/logger.port';
import type { Metrics } from '../ports/metrics.port';
import type { SubmitterStore } from '../ports/submitter-store.port';
import type { WitnessStore } from '../ports/witness.port';
import { NonceEngineManager } from '../routing/engine-manager';
import { NonceExecutionTemplate } from '../template/nonce-execution-template';
import type { SignedTransactions } from '../template/signed-transactions';
import { SubmitterDefaultsCache } from '../template/submitter-defaults';
import { ViemSignedTransactions } from '../viem/viem-signed-transactions';
import { WitnessFile } from '../witness/witness-file';
import { FastHealth } from './fast/fast-health';
import { FlushDrain } from './fast/flush-drain';
import type { FastSide } from './fast/fast-side';
import { LockConnection } from './lock-connection';
import { NonceComponent } from './nonce-component';
import { NonceHealthIndicator } from './nonce-health-indicator';
import { NonceLifecycle } from './nonce-lifecycle';
import { recoveryProviders } from './recovery-providers';
import type { OpenDatabase } from './open-database';
import type { ResolvedNonceOptions } from './options';
import {
  CHAIN_REGISTRY,
  DATABASE,
  FAST_SIDE,
  HEALTH_PROBES,
  NONCE_CLOCK,
  NONCE_LOGGER,
  NONCE_METRICS,
  NONCE_OPTIONS,
  SIGNED_TRANSACTIONS,
  SUBMITTER_STORE,
  WITNESS_STORES,
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
    ...recoveryProviders(),
    {
      provide: NonceHealthIndicator,
      inject: [HEALTH_PROBES, NONCE_METRICS, FastHealth],
      useFactory: (probes: readonly HealthProbe[], metrics: Metrics, fast: FastHealth) =>
        new NonceHealthIndicator(probes, metrics, fast),
    },
    {
      provide: NonceLifecycle,
      inject: [
        NonceExecutionTemplate,
        ReliableEngine,
        PerformanceEngine,
        { token: MirrorBuffer, optional: true },
        LockConnection,
        FAST_SIDE,
        WITNESS_STORES,
        DATABASE,
        FlushDrain,
        NONCE_OPTIONS,
      ],
      useFactory: lifecycleOf,
    },
  ];
}

function lifecycleOf(
  ...[template, reliable, performance, mirror, locks, side, witnesses, database, drain, options]: [
    NonceExecutionTemplate,
    ReliableEngine,
    PerformanceEngine | null,
    MirrorBuffer | null | undefined,
    LockConnection,
    FastSide | null,
    readonly WitnessStore[],
    OpenDatabase,
    FlushDrain,
    ResolvedNonceOptions,
  ]
): NonceLifecycle {
  const engines = [performance, reliable, mirror].filter(
    (each) => each !== null && each !== undefined,
  );
  const files = witnesses.filter((witness) => witness instanceof WitnessFile);
  const connections = [...files, locks, ...(side === null ? [] : [side]), database];
  const finish = (deadlineMs: number) => drain.finish(deadlineMs);
  return new NonceLifecycle(
    { template, engines, finish, connections },
    options.shutdown.deadlineMs,
  );
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
