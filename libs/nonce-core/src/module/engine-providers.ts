import type { Provider } from '@nestjs/common';
import { isNonceError } from '../domain/errors/nonce-error';
import { submitterParts } from '../domain/submitter';
import { ReliableEngine } from '../engines/reliable/reliable-engine';
import type { AllocationStore } from '../ports/allocation-store.port';
import type { ChainRegistry } from '../ports/chain.port';
import type { Clock } from '../ports/clock.port';
import type { Logger } from '../ports/logger.port';
import type { Metrics } from '../ports/metrics.port';
import type { AlignmentStore, SubmitterStore } from '../ports/submitter-store.port';
import { AlignWithChain } from '../recovery/align-with-chain';
import { ChainBaseline } from '../recovery/chain-baseline';
import { RedisLockCoordinator } from '../redis/redis-lock-coordinator';
import { NonceEngineManager, type RefreshFloor } from '../routing/engine-manager';
import { intentCheck } from '../template/check-intent-bytes';
import type { SignedTransactions } from '../template/signed-transactions';
import { LockConnection } from './lock-connection';
import { NonceEvents } from './nonce-events';
import type { ResolvedNonceOptions } from './options';
import { SubmitterWindows } from './submitter-windows';
import {
  ALIGNMENT_STORE,
  ALLOCATION_STORE,
  BASELINE_SOURCE,
  CHAIN_REGISTRY,
  NONCE_CLOCK,
  NONCE_LOGGER,
  NONCE_METRICS,
  NONCE_OPTIONS,
  SIGNED_TRANSACTIONS,
  SUBMITTER_STORE,
} from './tokens';

type Observers = [Clock, Metrics, NonceEvents];

/** What issues nonces, and what tells it where a chain stands. */
export function engineProviders(): Provider[] {
  return [
    { provide: SubmitterWindows, useFactory: () => new SubmitterWindows() },
    {
      provide: BASELINE_SOURCE,
      inject: [CHAIN_REGISTRY, NONCE_OPTIONS],
      useFactory: (chains: ChainRegistry, options: ResolvedNonceOptions) =>
        new ChainBaseline(chains, options.quarantine),
    },
    {
      provide: AlignWithChain,
      inject: [ALIGNMENT_STORE, CHAIN_REGISTRY, NonceEvents, NONCE_METRICS, NONCE_LOGGER],
      useFactory: (
        ...[store, chains, events, metrics, logger]: [
          AlignmentStore,
          ChainRegistry,
          NonceEvents,
          Metrics,
          Logger,
        ]
      ) => new AlignWithChain({ store, chains, events, metrics, logger }),
    },
    {
      provide: RedisLockCoordinator,
      inject: [LockConnection],
      useFactory: (connection: LockConnection) => connection.locks,
    },
    reliableEngineProvider(),
    managerProvider(),
  ];
}

function managerProvider(): Provider {
  return {
    provide: NonceEngineManager,
    inject: [
      ReliableEngine,
      AlignWithChain,
      CHAIN_REGISTRY,
      SIGNED_TRANSACTIONS,
      ALLOCATION_STORE,
      NONCE_CLOCK,
      NONCE_LOGGER,
      NONCE_OPTIONS,
    ],
    useFactory: (
      ...[engine, alignment, chains, transactions, store, clock, logger, options]: [
        ReliableEngine,
        AlignWithChain,
        ChainRegistry,
        SignedTransactions,
        AllocationStore,
        Clock,
        Logger,
        ResolvedNonceOptions,
      ]
    ) =>
      new NonceEngineManager({
        engineFor: () => engine,
        defaultEngine: engine,
        refreshFloor: refreshFloor(alignment, chains),
        checkIntent: intentCheck(
          transactions,
          (id) => store.findById(id),
          options.intent.signerCheck,
        ),
        clock,
        logger,
      }),
  };
}

function reliableEngineProvider(): Provider {
  return {
    provide: ReliableEngine,
    inject: [
      NONCE_OPTIONS,
      ALLOCATION_STORE,
      SUBMITTER_STORE,
      BASELINE_SOURCE,
      CHAIN_REGISTRY,
      LockConnection,
      SubmitterWindows,
      NONCE_CLOCK,
      NONCE_METRICS,
      NonceEvents,
    ],
    useFactory: (
      ...[options, store, submitters, baseline, chains, connection, windows, ...observers]: [
        ResolvedNonceOptions,
        AllocationStore,
        SubmitterStore,
        ChainBaseline,
        ChainRegistry,
        LockConnection,
        SubmitterWindows,
        ...Observers,
      ]
    ) => {
      const [clock, metrics, events] = observers;
      return new ReliableEngine(
        {
          store: windows.applyTo(store),
          submitters: windows.viewOf(submitters),
          baseline,
          chains,
          locks: connection.locks,
          clock,
          metrics,
          events,
        },
        { maxInFlight: options.maxInFlight, quarantine: options.quarantine },
      );
    },
  };
}

/** Without a configured chain nothing can be learned; the window then counts reservations. */
function refreshFloor(alignment: AlignWithChain, chains: ChainRegistry): RefreshFloor {
  return async (submitter) => {
    if (chains.find(submitterParts(submitter).chainId) === undefined) return;
    try {
      await alignment.alignWithChain(submitter);
    } catch (error) {
      if (!isNonceError(error, 'NONCE_SUBMITTER_UNKNOWN')) throw error;
    }
  };
}
