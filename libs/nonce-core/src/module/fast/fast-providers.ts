import type { Provider } from '@nestjs/common';
import { FlushEvents } from '../../flush/flush-events';
import { flushWhenFull } from '../../flush/flush-when-full';
import type { Clock } from '../../ports/clock.port';
import { GuardedFastStore } from '../../modes/guarded-fast-store';
import type { ShardBreakers } from '../../modes/shard-breakers';
import { PostgresDeadLetterStore } from '../../postgres/postgres-dead-letter-store';
import { PostgresFastEpochStore } from '../../postgres/postgres-fast-epoch-store';
import { PostgresFlushReports } from '../../postgres/postgres-flush-reports';
import { PostgresFlushStore } from '../../postgres/postgres-flush-store';
import type { RedisClient } from '../../redis/redis-client';
import type { OpenDatabase } from '../open-database';
import type { ResolvedNonceOptions } from '../options';
import { SubmitterWindows } from '../submitter-windows';
import {
  DATABASE,
  DEAD_LETTER_STORE,
  FAST_EPOCH_STORE,
  FAST_SIDE,
  FAST_STORE,
  FLUSH_REPORTS,
  FLUSH_STORE,
  HOST_REDIS,
  NONCE_CLOCK,
  NONCE_OPTIONS,
  SHARD_BREAKERS,
} from '../tokens';
import { continuityProviders } from './continuity-providers';
import { fastOperations } from './fast-operations';
import { FastSide } from './fast-side';
import { flushProviders } from './flush-providers';
import { performanceEngineProvider } from './performance-engine-provider';

/**
 * What issues from Redis and what brings its events to Postgres. Without Redis the side of it and
 * the engine are null; the rest reads Postgres alone.
 */
export function fastProviders(): Provider[] {
  return [
    {
      provide: FAST_SIDE,
      inject: [HOST_REDIS, NONCE_CLOCK, NONCE_OPTIONS],
      useFactory: (client: RedisClient | null, clock: Clock, options: ResolvedNonceOptions) =>
        client === null ? null : new FastSide(client, clock, options),
    },
    {
      provide: FAST_EPOCH_STORE,
      inject: [DATABASE, SubmitterWindows, NONCE_OPTIONS],
      useFactory: (
        { runner }: OpenDatabase,
        windows: SubmitterWindows,
        { quarantine }: ResolvedNonceOptions,
      ) => windows.applyToEpochs(new PostgresFastEpochStore(runner, quarantine)),
    },
    onDatabase(FLUSH_STORE, ({ runner }) => new PostgresFlushStore(runner)),
    onDatabase(DEAD_LETTER_STORE, ({ runner }) => new PostgresDeadLetterStore(runner)),
    onDatabase(FLUSH_REPORTS, ({ runner }) => new PostgresFlushReports(runner)),
    ...continuityProviders(),
    {
      provide: FAST_STORE,
      inject: [FAST_SIDE, FlushEvents, SHARD_BREAKERS, NONCE_OPTIONS],
      useFactory: (
        ...[side, events, breakers, { flush }]: [
          FastSide | null,
          FlushEvents | null,
          ShardBreakers | null,
          ResolvedNonceOptions,
        ]
      ) => {
        if (side === null || events === null || breakers === null) return null;
        const store = flush.syncWriteFallback ? flushWhenFull(side.store, events) : side.store;
        return new GuardedFastStore(store, breakers);
      },
    },
    performanceEngineProvider(),
    ...flushProviders(),
    ...fastOperations(),
  ];
}

function onDatabase(provide: symbol, make: (database: OpenDatabase) => unknown): Provider {
  return { provide, inject: [DATABASE], useFactory: make };
}
