import type { Provider } from '@nestjs/common';
import type { AccessStore } from '../../ports/access-store.port';
import type { AllocationStore } from '../../ports/allocation-store.port';
import type { BaselineSource } from '../../ports/baseline.port';
import type { ChainRegistry } from '../../ports/chain.port';
import type { Clock } from '../../ports/clock.port';
import type { Logger } from '../../ports/logger.port';
import type { Metrics } from '../../ports/metrics.port';
import type { ModeSource } from '../../ports/mode-source.port';
import type { ModeSnapshot } from '../../ports/mode-store.port';
import type { ReconciliationStore } from '../../ports/reconciliation-store.port';
import type { WitnessStore } from '../../ports/witness.port';
import { PostgresContinuityStore } from '../../postgres/postgres-continuity-store';
import { PostgresReconciliationStore } from '../../postgres/postgres-reconciliation-store';
import { ContinuityWatch } from '../../recovery/continuity-watch';
import { openContinuity, type OpenContinuity } from '../../recovery/open-continuity';
import { RedisWitness } from '../../redis/redis-witness';
import { WitnessFile } from '../../witness/witness-file';
import { NonceEvents } from '../nonce-events';
import type { OpenDatabase } from '../open-database';
import type { ResolvedNonceOptions } from '../options';
import {
  ACCESS_STORE,
  ALLOCATION_STORE,
  BASELINE_SOURCE,
  CHAIN_REGISTRY,
  CONTINUITY,
  DATABASE,
  FAST_SIDE,
  MODE_SOURCE,
  NONCE_CLOCK,
  NONCE_LOGGER,
  NONCE_METRICS,
  NONCE_OPTIONS,
  WITNESS_STORES,
} from '../tokens';
import type { FastSide } from './fast-side';

/** What notices a database that was set back, where there is a place for witnesses; else null. */
export function continuityProviders(): Provider[] {
  return [
    { provide: WITNESS_STORES, inject: [FAST_SIDE, NONCE_OPTIONS], useFactory: witnessStores },
    continuityProvider(),
    {
      provide: ContinuityWatch,
      inject: [CONTINUITY],
      useFactory: (opened: OpenContinuity | null) => opened?.watch ?? null,
    },
  ];
}

function witnessStores(side: FastSide | null, options: ResolvedNonceOptions): WitnessStore[] {
  const { witnessDir } = options.recovery;
  const { keyPrefix, shards } = options.redis;
  const stores: WitnessStore[] = [];
  if (witnessDir !== null) stores.push(new WitnessFile(witnessDir));
  if (side !== null) {
    const shardOf = side.keys.shardOf.bind(side.keys);
    stores.push(new RedisWitness(side.client, { keyPrefix, shards, shardOf }));
  }
  return stores;
}

/**
 * It watches in every mode, so that a run of the database has somebody to vouch for it when the
 * performance mode begins in that run. Statements are refused until then only from the first time on
 * that this process sees nonces issued from Redis: the reliable mode needs neither Redis nor a disk.
 */
function continuityProvider(): Provider {
  return {
    provide: CONTINUITY,
    inject: [
      DATABASE,
      WITNESS_STORES,
      ALLOCATION_STORE,
      BASELINE_SOURCE,
      ACCESS_STORE,
      NonceEvents,
      NONCE_METRICS,
      NONCE_LOGGER,
      NONCE_CLOCK,
      NONCE_OPTIONS,
      MODE_SOURCE,
      CHAIN_REGISTRY,
    ],
    useFactory: watchContinuity,
  };
}

type ContinuityInjected = [
  OpenDatabase,
  readonly WitnessStore[],
  AllocationStore,
  BaselineSource,
  AccessStore,
  NonceEvents,
  Metrics,
  Logger,
  Clock,
  ResolvedNonceOptions,
  ModeSource,
  ChainRegistry,
];

function watchContinuity(
  ...[database, stores, allocations, baselines, audit, ...rest]: ContinuityInjected
): OpenContinuity | null {
  const [events, metrics, logger, clock, options, mode, chains] = rest;
  if (stores.length === 0) return null;
  const { quarantine } = options;
  const submitters = new PostgresReconciliationStore(database.runner);
  const opened = openContinuity({
    store: new PostgresContinuityStore(database.runner),
    ...{ stores, allocations, baselines, audit, events, metrics, logger, clock, quarantine },
    submitters,
    defaultWindow: (chainId) => chains.find(chainId)?.profile.maxInFlight ?? options.maxInFlight,
    ...(options.recovery.auto ? { afterLoss: orderReconcile(submitters, logger) } : {}),
  });
  mode.onChange((now) => {
    if (!issuesFast(now)) return;
    database.runner.guardWith(opened.continuity);
    // What it finds is told by its state and by the statements that it refuses.
    opened.watch.tick().catch(() => undefined);
  });
  return opened;
}

/** What witnesses do not tell, the chains may: a worker compares everything with them. */
function orderReconcile(store: ReconciliationStore, logger: Logger): (reason: string) => void {
  const order = { scope: 'all', dryRun: false, actor: 'noncekit' } as const;
  return (reason) => {
    store.begin({ ...order, reason }, null).catch((error: unknown) => {
      logger.warn('no reconciliation could be ordered', { reason: String(error) });
    });
  };
}

function issuesFast({ mode, pins, fastEpochs }: ModeSnapshot): boolean {
  return mode === 'PERFORMANCE' || fastEpochs || [...pins.values()].includes('PERFORMANCE');
}
