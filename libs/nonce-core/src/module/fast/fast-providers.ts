import type { Provider } from '@nestjs/common';
import { FlushEvents } from '../../flush/flush-events';
import { flushWhenFull } from '../../flush/flush-when-full';
import type { Clock } from '../../ports/clock.port';
import type { Logger } from '../../ports/logger.port';
import { PostgresDeadLetterStore } from '../../postgres/postgres-dead-letter-store';
import { PostgresFastEpochStore } from '../../postgres/postgres-fast-epoch-store';
import { PostgresFlushReports } from '../../postgres/postgres-flush-reports';
import { PostgresFlushStore } from '../../postgres/postgres-flush-store';
import { checkRedis } from '../../redis/redis-boot-checks';
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
  NONCE_LOGGER,
  NONCE_OPTIONS,
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
      inject: [HOST_REDIS, NONCE_CLOCK, NONCE_LOGGER, NONCE_OPTIONS],
      useFactory: openFastSide,
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
      inject: [FAST_SIDE, FlushEvents, NONCE_OPTIONS],
      useFactory: (
        side: FastSide | null,
        events: FlushEvents | null,
        { flush }: ResolvedNonceOptions,
      ) => {
        if (side === null || events === null || !flush.syncWriteFallback)
          return side?.store ?? null;
        return flushWhenFull(side.store, events);
      },
    },
    performanceEngineProvider(),
    ...flushProviders(),
    ...fastOperations(),
  ];
}

/** @throws NonceError NONCE_REDIS_EVICTION where nonces would be issued from it. */
async function openFastSide(
  ...[client, clock, logger, options]: [RedisClient | null, Clock, Logger, ResolvedNonceOptions]
): Promise<FastSide | null> {
  if (client === null) return null;
  const side = new FastSide(client, clock, options);
  try {
    if (options.mode === 'PERFORMANCE') await checkRedis(side.client, { clock, logger });
    return side;
  } catch (error) {
    side.close();
    throw error;
  }
}

function onDatabase(provide: symbol, make: (database: OpenDatabase) => unknown): Provider {
  return { provide, inject: [DATABASE], useFactory: make };
}
