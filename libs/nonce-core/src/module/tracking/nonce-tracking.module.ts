import { Module, type DynamicModule } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { FollowHeads } from '../../heads/follow-heads';
import { StableBlocks } from '../../heads/stable-blocks';
import type { AlarmStore } from '../../ports/alarm.port';
import type { ChainRegistry } from '../../ports/chain.port';
import type { Clock } from '../../ports/clock.port';
import type { HealthProbe } from '../../ports/health.port';
import type { HeadStore } from '../../ports/head-store.port';
import type { Logger } from '../../ports/logger.port';
import type { Metrics } from '../../ports/metrics.port';
import type { SubmitterStore } from '../../ports/submitter-store.port';
import type { TransitionLog } from '../../ports/transition-log.port';
import type { TrackingStore } from '../../ports/tracking-store.port';
import { AlignWithChain } from '../../recovery/align-with-chain';
import { FullReconcile } from '../../recovery/full-reconcile';
import { OrderReconcile } from '../../recovery/order-reconcile';
import { NonceEngineManager } from '../../routing/engine-manager';
import { NonceEvents } from '../nonce-events';
import type { ResolvedNonceOptions } from '../options';
import { SCHEDULE } from '../schedule';
import {
  ALARM_STORE,
  CHAIN_REGISTRY,
  FAST_WORKER_PLANS,
  HEAD_STORE,
  HEALTH_PROBES,
  NONCE_CLOCK,
  NONCE_LOGGER,
  NONCE_METRICS,
  NONCE_OPTIONS,
  SIGNED_TRANSACTIONS,
  SUBMITTER_STORE,
  TRACKING_STORE,
  TRANSITION_LOG,
} from '../tokens';
import type { SignedTransactions } from '../../template/signed-transactions';
import { alarmJob } from '../alarms/alarm-job';
import { burnSignerOf } from './burn-signer-of';
import { CheckedSigner } from './checked-signer';
import { PeriodicJob, type JobPlan } from './periodic-job';
import { PeriodicJobs } from './periodic-jobs';
import { trackingJobs, type TrackingIntervals } from './tracking-jobs';

type Injected = [
  SchedulerRegistry,
  TrackingStore,
  SubmitterStore,
  AlignWithChain,
  ChainRegistry,
  FollowHeads,
  NonceEngineManager,
  FullReconcile,
  readonly JobPlan[],
  NonceEvents,
  Metrics,
  Logger,
  Clock,
  SignedTransactions,
  AlarmStore,
  readonly HealthProbe[],
  TransitionLog,
  ResolvedNonceOptions,
];

type HeadParts = [HeadStore, ChainRegistry, Metrics, Logger];

/**
 * The periodic work of a worker: reclaim, resend, follow heads and transactions, settle, align,
 * measure; with Redis also flush, and look after what Redis holds, whatever the mode. Import it beside
 * a global `NonceModule` in as many processes as wanted; they share the work by claims in Postgres.
 * Exports `StableBlocks`: confirmed blocks in chain order.
 */
@Module({})
export class NonceTrackingModule {
  static forRoot(intervals: TrackingIntervals): DynamicModule {
    return {
      module: NonceTrackingModule,
      imports: [SCHEDULE],
      providers: [
        {
          provide: FollowHeads,
          inject: [HEAD_STORE, CHAIN_REGISTRY, NONCE_METRICS, NONCE_LOGGER],
          useFactory: (...injected: HeadParts) => followHeads(injected),
        },
        {
          provide: StableBlocks,
          inject: [FollowHeads, CHAIN_REGISTRY],
          useFactory: (heads: FollowHeads, chains: ChainRegistry) =>
            new StableBlocks(heads, chains),
        },
        {
          provide: PeriodicJobs,
          inject: [
            SchedulerRegistry,
            TRACKING_STORE,
            SUBMITTER_STORE,
            AlignWithChain,
            CHAIN_REGISTRY,
            FollowHeads,
            NonceEngineManager,
            FullReconcile,
            FAST_WORKER_PLANS,
            NonceEvents,
            NONCE_METRICS,
            NONCE_LOGGER,
            NONCE_CLOCK,
            SIGNED_TRANSACTIONS,
            ALARM_STORE,
            HEALTH_PROBES,
            TRANSITION_LOG,
            NONCE_OPTIONS,
          ],
          useFactory: (...injected: Injected) => periodicJobs(injected, intervals),
        },
      ],
      exports: [PeriodicJobs, StableBlocks],
    };
  }
}

function followHeads([store, chains, metrics, logger]: HeadParts): FollowHeads {
  return new FollowHeads({ store, chains, metrics, logger });
}

function periodicJobs(injected: Injected, intervals: TrackingIntervals): PeriodicJobs {
  const [registry, store, submitters, alignment, chains, heads, engine, ...others] = injected;
  const [reconcile, fastPlans, events, metrics, logger, clock, transactions, alarms, ...rest] =
    others;
  const [probes, transitions, options] = rest;
  const redis = probes.find(({ store: probed }) => probed === 'redis') ?? null;
  const burnSigner = burnSignerOf(options, transactions);
  const signer = options.signer && new CheckedSigner(options.signer, transactions);
  const hosts = { burnSigner, signer, stuckHook: options.stuckHook };
  const deps = { store, chains, heads, events, metrics, logger, ...hosts };
  const { quarantine, tracking, retention } = options;
  const order = new OrderReconcile({ alignment, reconcile, clock, logger }, options.recovery);
  const plans = [
    ...trackingJobs({
      deps,
      heads,
      engine,
      submitters,
      reconcile,
      order,
      quarantine,
      tracking,
      transitions,
      retention,
      intervals,
    }),
    alarmJob({ store: alarms, redis, chains, events, metrics, logger }, options),
    ...fastPlans,
  ];
  const jobs = plans.map((plan) => new PeriodicJob(plan, { clock, metrics, logger }));
  return new PeriodicJobs(registry, jobs, logger, options.shutdown.deadlineMs);
}
