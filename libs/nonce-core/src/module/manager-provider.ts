import type { Provider } from '@nestjs/common';
import { isNonceError } from '../domain/errors/nonce-error';
import { submitterParts } from '../domain/submitter';
import { DualWriteEngine } from '../engines/dual-write/dual-write-engine';
import { PerformanceEngine } from '../engines/performance/performance-engine';
import { ReliableEngine } from '../engines/reliable/reliable-engine';
import type { AllocationStore } from '../ports/allocation-store.port';
import type { ChainRegistry } from '../ports/chain.port';
import type { Clock } from '../ports/clock.port';
import type { Logger } from '../ports/logger.port';
import type { ModeSource } from '../ports/mode-source.port';
import type { ModeSwitching } from '../ports/mode-switch.port';
import { AlignWithChain } from '../recovery/align-with-chain';
import { NonceEngineManager, type RefreshFloor } from '../routing/engine-manager';
import { EngineRoutes } from '../routing/engine-routes';
import { intentCheck } from '../template/check-intent-bytes';
import type { SignedTransactions } from '../template/signed-transactions';
import type { ResolvedNonceOptions } from './options';
import {
  ALLOCATION_STORE,
  CHAIN_REGISTRY,
  MODE_SOURCE,
  MODE_SWITCHING,
  NONCE_CLOCK,
  NONCE_LOGGER,
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
  ModeSource,
  ModeSwitching,
  ResolvedNonceOptions,
  DualWriteEngine | null,
];

/** Engines by the mode in force and by pins. */
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
      MODE_SOURCE,
      MODE_SWITCHING,
      NONCE_OPTIONS,
      DualWriteEngine,
    ],
    useFactory: (...injected: Injected) => {
      const [reliable, performance, alignment, chains, transactions, store, ...rest] = injected;
      const [clock, logger, mode, switching, options, mirrored] = rest;
      const engines = { reliable, performance, dualWrite: mirrored ?? reliable };
      const { waitMs } = options.modes;
      const degrades = options.degrade.onRedisFailure;
      const grantedHere = (id: string) => performance?.findGranted(id) ?? null;
      return new NonceEngineManager({
        routes: new EngineRoutes({ engines, mode, clock }, { waitMs, degrades }),
        switching,
        find: async (id) => (await store.findById(id)) ?? grantedHere(id),
        refreshFloor: refreshFloor(alignment, chains),
        checkIntent: intentCheck(
          transactions,
          async (id) => grantedHere(id) ?? (await store.findById(id)),
          options.intent.signerCheck,
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
