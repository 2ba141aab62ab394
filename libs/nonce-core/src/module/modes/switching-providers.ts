import type { Provider } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { FlushEvents } from '../../flush/flush-events';
import { DrainFast } from '../../modes/drain-fast';
import { Preflight } from '../../modes/preflight';
import { RecordSwitch } from '../../modes/record-switch';
import { ShardBreakers } from '../../modes/shard-breakers';
import { SwitchMode } from '../../modes/switch-mode';
import { SwitchRunner } from '../../modes/switch-runner';
import type { Clock } from '../../ports/clock.port';
import type { FastEpochStore } from '../../ports/fast-epoch-store.port';
import type { FastStore } from '../../ports/fast-store.port';
import type { Logger } from '../../ports/logger.port';
import type { Metrics } from '../../ports/metrics.port';
import type { ModeSource } from '../../ports/mode-source.port';
import type { ModeStore } from '../../ports/mode-store.port';
import type { TakeOver } from '../../ports/take-over.port';
import type { FastSide } from '../fast/fast-side';
import { NonceEvents } from '../nonce-events';
import type { ResolvedNonceOptions } from '../options';
import {
  FAST_EPOCH_STORE,
  FAST_SIDE,
  FAST_STORE,
  MODE_SOURCE,
  MODE_STORE,
  MODE_SWITCHING,
  NONCE_CLOCK,
  NONCE_LOGGER,
  NONCE_METRICS,
  NONCE_OPTIONS,
  SHARD_BREAKERS,
  TAKE_OVER,
} from '../tokens';
import { allShards } from './all-shards';
import { modeJobsProvider } from './mode-jobs-provider';
import { preflightProvider } from './preflight-provider';

/** What changes the mode: on order, by a failing Redis, by its return, by load. */
export function switchingProviders(): Provider[] {
  return [
    preflightProvider(),
    {
      provide: SHARD_BREAKERS,
      inject: [FAST_SIDE, NONCE_CLOCK, NONCE_OPTIONS],
      useFactory: (side: FastSide | null, clock: Clock, options: ResolvedNonceOptions) =>
        side === null ? null : openBreakers(side, clock, options),
    },
    drainProvider(),
    runnerProvider(),
    recordingProvider(),
    {
      provide: MODE_SWITCHING,
      inject: [MODE_STORE, Preflight, RecordSwitch, NonceEvents, NONCE_CLOCK],
      useFactory: (
        ...[store, preflight, recording, events, clock]: [
          ModeStore,
          Preflight,
          RecordSwitch,
          NonceEvents,
          Clock,
        ]
      ) => new SwitchMode({ store, preflight, recording, events, clock }),
    },
    modeJobsProvider(),
  ];
}

function openBreakers(side: FastSide, clock: Clock, options: ResolvedNonceOptions): ShardBreakers {
  const { failures, windowMs } = options.degrade;
  const canary = (shard: number) => side.store.canary([shard]);
  return new ShardBreakers({ canary, clock }, { failures, windowMs, shards: options.redis.shards });
}

function drainProvider(): Provider {
  return {
    provide: DrainFast,
    inject: [
      FAST_STORE,
      FlushEvents,
      FAST_EPOCH_STORE,
      TAKE_OVER,
      MODE_STORE,
      MODE_SOURCE,
      NONCE_CLOCK,
      NONCE_LOGGER,
      NONCE_OPTIONS,
    ],
    useFactory: (
      ...[fast, events, epochs, takeOver, store, mode, clock, logger, { redis }]: [
        FastStore | null,
        FlushEvents | null,
        FastEpochStore,
        TakeOver,
        ModeStore,
        ModeSource,
        Clock,
        Logger,
        ResolvedNonceOptions,
      ]
    ) => {
      if (fast === null || events === null) return null;
      const flush = events.drain.bind(events);
      return new DrainFast(
        { flush, fast, epochs, takeOver, store, mode, clock, logger },
        redis.shards,
      );
    },
  };
}

function runnerProvider(): Provider {
  return {
    provide: SwitchRunner,
    inject: [
      MODE_STORE,
      FAST_STORE,
      DrainFast,
      NonceEvents,
      NONCE_CLOCK,
      NONCE_LOGGER,
      NONCE_OPTIONS,
    ],
    useFactory: (
      ...[store, fast, drain, events, clock, logger, { redis, modes }]: [
        ModeStore,
        FastStore | null,
        DrainFast | null,
        NonceEvents,
        Clock,
        Logger,
        ResolvedNonceOptions,
      ]
    ) => {
      const { drainDeadlineMs } = modes;
      const name = `${hostname()}.${String(process.pid)}.${randomBytes(4).toString('hex')}`;
      const shards = allShards(redis.shards);
      const side = fast === null || drain === null ? null : { fast, drain, shards };
      return new SwitchRunner(
        { store, redis: side, events, clock, logger },
        { name, drainDeadlineMs },
      );
    },
  };
}

function recordingProvider(): Provider {
  return {
    provide: RecordSwitch,
    inject: [
      MODE_STORE,
      MODE_SOURCE,
      SwitchRunner,
      NonceEvents,
      NONCE_METRICS,
      NONCE_LOGGER,
      NONCE_CLOCK,
      FAST_STORE,
      NONCE_OPTIONS,
    ],
    useFactory: (
      ...[store, view, runner, events, metrics, logger, clock, fast, options]: [
        ModeStore,
        ModeSource,
        SwitchRunner,
        NonceEvents,
        Metrics,
        Logger,
        Clock,
        FastStore | null,
        ResolvedNonceOptions,
      ]
    ) => {
      const redis = fast === null ? null : { fast, shards: allShards(options.redis.shards) };
      return new RecordSwitch({ store, view, runner, redis, events, metrics, logger, clock });
    },
  };
}
