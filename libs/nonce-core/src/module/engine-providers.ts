import type { Provider } from '@nestjs/common';
import { ReliableEngine } from '../engines/reliable/reliable-engine';
import type { AllocationStore } from '../ports/allocation-store.port';
import type { ChainRegistry } from '../ports/chain.port';
import type { Clock } from '../ports/clock.port';
import type { Logger } from '../ports/logger.port';
import type { Metrics } from '../ports/metrics.port';
import type { AlignmentStore, SubmitterStore } from '../ports/submitter-store.port';
import type { TakeOver } from '../ports/take-over.port';
import { AlignWithChain } from '../recovery/align-with-chain';
import { ChainBaseline } from '../recovery/chain-baseline';
import { RedisLockCoordinator } from '../redis/redis-lock-coordinator';
import { LockConnection } from './lock-connection';
import { managerProvider } from './manager-provider';
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
  SUBMITTER_STORE,
  TAKE_OVER,
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
      TAKE_OVER,
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
        TakeOver,
      ]
    ) => {
      const [clock, metrics, events, takeOver] = observers;
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
          takeOver,
        },
        { maxInFlight: options.maxInFlight, quarantine: options.quarantine },
      );
    },
  };
}
