import type { Provider } from '@nestjs/common';
import type { AccessStore } from '../ports/access-store.port';
import type { BaselineSource } from '../ports/baseline.port';
import type { ChainRegistry } from '../ports/chain.port';
import type { Clock } from '../ports/clock.port';
import type { Logger } from '../ports/logger.port';
import type { Metrics } from '../ports/metrics.port';
import { PostgresRebaselineStore } from '../postgres/postgres-rebaseline-store';
import { PostgresReconciliationStore } from '../postgres/postgres-reconciliation-store';
import { AlignWithChain } from '../recovery/align-with-chain';
import { ContinuityWatch } from '../recovery/continuity-watch';
import { FullReconcile } from '../recovery/full-reconcile';
import { RebaselineSubmitter } from '../recovery/rebaseline-submitter';
import { NonceEvents } from './nonce-events';
import { NonceRecoveryService } from './nonce-recovery-service';
import type { OpenDatabase } from './open-database';
import type { ResolvedNonceOptions } from './options';
import {
  ACCESS_STORE,
  BASELINE_SOURCE,
  CHAIN_REGISTRY,
  DATABASE,
  NONCE_CLOCK,
  NONCE_LOGGER,
  NONCE_METRICS,
  NONCE_OPTIONS,
} from './tokens';

type RebaselineParts = [OpenDatabase, ChainRegistry, BaselineSource, NonceEvents];

type ReconcileParts = [
  OpenDatabase,
  AlignWithChain,
  ContinuityWatch | null,
  ChainRegistry,
  AccessStore,
  Clock,
  Metrics,
  Logger,
];

/** What brings records in line with the chain on request. */
export function recoveryProviders(): Provider[] {
  return [
    {
      provide: RebaselineSubmitter,
      inject: [DATABASE, CHAIN_REGISTRY, BASELINE_SOURCE, NonceEvents],
      useFactory: (...[{ runner }, chains, baseline, events]: RebaselineParts) => {
        const store = new PostgresRebaselineStore(runner);
        return new RebaselineSubmitter({ store, chains, baseline, events });
      },
    },
    reconcileProvider(),
    {
      provide: NonceRecoveryService,
      inject: [AlignWithChain, RebaselineSubmitter, FullReconcile, NONCE_OPTIONS],
      useFactory: (
        ...[alignment, rebaselining, reconciling, options]: [
          AlignWithChain,
          RebaselineSubmitter,
          FullReconcile,
          ResolvedNonceOptions,
        ]
      ) => {
        const defaultChainId = options.defaultChainId ?? undefined;
        return new NonceRecoveryService({ alignment, rebaselining, reconciling }, defaultChainId);
      },
    },
  ];
}

function reconcileProvider(): Provider {
  return {
    provide: FullReconcile,
    inject: [
      DATABASE,
      AlignWithChain,
      ContinuityWatch,
      CHAIN_REGISTRY,
      ACCESS_STORE,
      NONCE_CLOCK,
      NONCE_METRICS,
      NONCE_LOGGER,
    ],
    useFactory: (...[{ runner }, alignment, witnesses, chains, ...rest]: ReconcileParts) => {
      const [audit, clock, metrics, logger] = rest;
      const store = new PostgresReconciliationStore(runner);
      return new FullReconcile({
        ...{ store, alignment, witnesses, chains, audit, clock, metrics, logger },
      });
    },
  };
}
