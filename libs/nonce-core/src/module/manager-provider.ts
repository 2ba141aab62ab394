import type { Provider } from '@nestjs/common';
import { isNonceError } from '../domain/errors/nonce-error';
import { submitterParts } from '../domain/submitter';
import { PerformanceEngine } from '../engines/performance/performance-engine';
import { ReliableEngine } from '../engines/reliable/reliable-engine';
import type { AllocationStore } from '../ports/allocation-store.port';
import type { ChainRegistry } from '../ports/chain.port';
import type { Clock } from '../ports/clock.port';
import type { Logger } from '../ports/logger.port';
import type { Metrics } from '../ports/metrics.port';
import { AlignWithChain } from '../recovery/align-with-chain';
import { NonceEngineManager, type RefreshFloor } from '../routing/engine-manager';
import { intentCheck } from '../template/check-intent-bytes';
import type { SignedTransactions } from '../template/signed-transactions';
import type { ResolvedNonceOptions } from './options';
import {
  ALLOCATION_STORE,
  CHAIN_REGISTRY,
  NONCE_CLOCK,
  NONCE_LOGGER,
  NONCE_METRICS,
  NONCE_OPTIONS,
  SIGNED_TRANSACTIONS,
} from './tokens';

type Injected = [
  ReliableEngine,
  PerformanceEngine | null,
  AlignWithChain,
  ChainRegistry,
  SignedTransactions,
  AllocationStore,
  Clock,
  Logger,
  Metrics,
  ResolvedNonceOptions,
];

/** The engine of this process's mode, for every submitter. */
export function managerProvider(): Provider {
  return {
    provide: NonceEngineManager,
    inject: [
      ReliableEngine,
      PerformanceEngine,
      AlignWithChain,
      CHAIN_REGISTRY,
      SIGNED_TRANSACTIONS,
      ALLOCATION_STORE,
      NONCE_CLOCK,
      NONCE_LOGGER,
      NONCE_METRICS,
      NONCE_OPTIONS,
    ],
    useFactory: (...injected: Injected) => {
      const [reliable, performance, alignment, chains, transactions, store, ...rest] = injected;
      const [clock, logger, metrics, { mode, intent }] = rest;
      const engine = mode === 'PERFORMANCE' && performance !== null ? performance : reliable;
      metrics.set('nonce_mode_info', { mode }, 1);
      const grantedHere = (id: string) => performance?.findGranted(id) ?? null;
      return new NonceEngineManager({
        engineFor: () => engine,
        defaultEngine: engine,
        find: async (id) => (await store.findById(id)) ?? grantedHere(id),
        refreshFloor: refreshFloor(alignment, chains),
        checkIntent: intentCheck(
          transactions,
          async (id) => grantedHere(id) ?? (await store.findById(id)),
          intent.signerCheck,
        ),
        clock,
        logger,
      });
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
