import type { Provider } from '@nestjs/common';
import { PostgresAccessStore } from '../postgres/postgres-access-store';
import { PostgresAlignmentStore } from '../postgres/postgres-alignment-store';
import { PostgresAllocationStore } from '../postgres/postgres-allocation-store';
import { PostgresHealthProbe } from '../postgres/postgres-health-probe';
import { PostgresSubmitterStore } from '../postgres/postgres-submitter-store';
import { PostgresTrackingStore } from '../postgres/postgres-tracking-store';
import type { StatementRunner } from '../postgres/statement-runner';
import type { Clock } from '../ports/clock.port';
import type { HealthProbe } from '../ports/health.port';
import type { Logger } from '../ports/logger.port';
import type { Metrics } from '../ports/metrics.port';
import { clientOf, redisServiceToken, type RedisServiceLike } from './find-redis-service';
import { LimitChanges } from './limit-changes';
import { LockConnection } from './lock-connection';
import { openDatabase, type OpenDatabase } from './open-database';
import type { ResolvedNonceOptions } from './options';
import { RedisHealthProbe } from './redis-health-probe';
import {
  ACCESS_STORE,
  ALIGNMENT_STORE,
  ALLOCATION_STORE,
  DATABASE,
  HEALTH_PROBES,
  NONCE_CLOCK,
  NONCE_LOGGER,
  NONCE_METRICS,
  NONCE_OPTIONS,
  SUBMITTER_STORE,
  TRACKING_STORE,
} from './tokens';

const onRunner = <Store>(provide: symbol, Store: new (runner: StatementRunner) => Store) => ({
  provide,
  inject: [DATABASE],
  useFactory: (database: OpenDatabase) => new Store(database.runner),
});

/** Postgres, and Redis where there is one. */
export function storeProviders(): Provider[] {
  return [
    {
      provide: DATABASE,
      inject: [NONCE_OPTIONS],
      useFactory: (options: ResolvedNonceOptions) => openDatabase(options.database),
    },
    onRunner(ALLOCATION_STORE, PostgresAllocationStore),
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
      inject: [DATABASE, LimitChanges],
      useFactory: ({ runner }: OpenDatabase, limits: LimitChanges) =>
        limits.ofAlignments(new PostgresAlignmentStore(runner)),
    },
    onRunner(TRACKING_STORE, PostgresTrackingStore),
    onRunner(ACCESS_STORE, PostgresAccessStore),
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

/** The client given in the options, else the default one of the host's nestjs-redis. */
function lockConnectionProvider(): Provider {
  const redisService = redisServiceToken();
  const optional = redisService === null ? [] : [{ token: redisService, optional: true }];
  return {
    provide: LockConnection,
    inject: [NONCE_OPTIONS, NONCE_METRICS, NONCE_LOGGER, NONCE_CLOCK, ...optional],
    useFactory: (
      ...[options, metrics, logger, clock, service]: [
        ResolvedNonceOptions,
        Metrics,
        Logger,
        Clock,
        RedisServiceLike | undefined,
      ]
    ) => {
      const { client, enabled } = options.redis;
      const found = enabled ? (client ?? clientOf(service)) : null;
      return new LockConnection(found, { metrics, logger, clock }, options);
    },
  };
}
