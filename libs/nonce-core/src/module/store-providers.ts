import type { Provider } from '@nestjs/common';
import { PostgresAccessStore } from '../postgres/postgres-access-store';
import { PostgresAlarmStore } from '../postgres/postgres-alarm-store';
import { PostgresAlignmentStore } from '../postgres/postgres-alignment-store';
import { PostgresAllocationStore } from '../postgres/postgres-allocation-store';
import { PostgresHeadStore } from '../postgres/postgres-head-store';
import { PostgresHealthProbe } from '../postgres/postgres-health-probe';
import { PostgresSubmitterStore } from '../postgres/postgres-submitter-store';
import { PostgresTrackingStore } from '../postgres/postgres-tracking-store';
import { PostgresTransitionLog } from '../postgres/postgres-transition-log';
import type { StatementRunner } from '../postgres/statement-runner';
import type { Clock } from '../ports/clock.port';
import type { HealthProbe } from '../ports/health.port';
import type { Logger } from '../ports/logger.port';
import type { Metrics } from '../ports/metrics.port';
import type { RedisClient } from '../redis/redis-client';
import { hostRedisProvider } from './host-redis';
import { LimitChanges } from './limit-changes';
import { LockConnection } from './lock-connection';
import { openDatabase, type OpenDatabase } from './open-database';
import type { ResolvedNonceOptions } from './options';
import { RedisHealthProbe } from './redis-health-probe';
import {
  ACCESS_STORE,
  ALARM_STORE,
  ALIGNMENT_STORE,
  ALLOCATION_STORE,
  DATABASE,
  HEAD_STORE,
  HEALTH_PROBES,
  HOST_REDIS,
  NONCE_CLOCK,
  NONCE_LOGGER,
  NONCE_METRICS,
  NONCE_OPTIONS,
  SUBMITTER_STORE,
  TRACKING_STORE,
  TRANSITION_LOG,
} from './tokens';

const onRunner = <Store>(provide: symbol, Store: new (runner: StatementRunner) => Store) => ({
  provide,
  inject: [DATABASE],
  useFactory: (database: OpenDatabase) => new Store(database.runner),
});

const ON_RUNNER: readonly Provider[] = [
  onRunner(ALLOCATION_STORE, PostgresAllocationStore),
  onRunner(TRACKING_STORE, PostgresTrackingStore),
  onRunner(ACCESS_STORE, PostgresAccessStore),
  onRunner(ALARM_STORE, PostgresAlarmStore),
  onRunner(TRANSITION_LOG, PostgresTransitionLog),
];

/** Postgres, and Redis where there is one. */
export function storeProviders(): Provider[] {
  return [
    {
      provide: DATABASE,
      inject: [NONCE_OPTIONS],
      useFactory: (options: ResolvedNonceOptions) => openDatabase(options.database),
    },
    ...ON_RUNNER,
    {
      provide: LimitChanges,
      inject: [NONCE_LOGGER],
      useFactory: (logger: Logger) => new LimitChanges(logger),
    },
    {
      provide: SUBMITTER_STORE,
      inject: [DATABASE, LimitChanges],
      useFactory: ({ runner }: OpenDatabase, limits: LimitChanges) =>
        limits.ofSettings(new PostgresSubmitterStore(runner)),
    },
    {
      provide: ALIGNMENT_STORE,
      inject: [DATABASE, LimitChanges, NONCE_OPTIONS],
      useFactory: (
        { runner }: OpenDatabase,
        limits: LimitChanges,
        { quarantine }: ResolvedNonceOptions,
      ) => limits.ofAlignments(new PostgresAlignmentStore(runner, quarantine)),
    },
    {
      provide: HEAD_STORE,
      inject: [DATABASE, LimitChanges],
      useFactory: ({ runner }: OpenDatabase, limits: LimitChanges) =>
        limits.ofHeads(new PostgresHeadStore(runner)),
    },
    hostRedisProvider(),
    lockConnectionProvider(),
    {
      provide: HEALTH_PROBES,
      inject: [DATABASE, LockConnection, NONCE_CLOCK],
      useFactory: (database: OpenDatabase, locks: LockConnection, clock: Clock): HealthProbe[] => {
        const postgres = new PostgresHealthProbe(database.runner);
        if (locks.client === null) return [postgres];
        return [postgres, new RedisHealthProbe(locks.client, clock)];
      },
    },
  ];
}

function lockConnectionProvider(): Provider {
  return {
    provide: LockConnection,
    inject: [HOST_REDIS, NONCE_METRICS, NONCE_LOGGER, NONCE_CLOCK, NONCE_OPTIONS],
    useFactory: (
      ...[client, metrics, logger, clock, options]: [
        RedisClient | null,
        Metrics,
        Logger,
        Clock,
        ResolvedNonceOptions,
      ]
    ) => new LockConnection(client, { metrics, logger, clock }, options),
  };
}
