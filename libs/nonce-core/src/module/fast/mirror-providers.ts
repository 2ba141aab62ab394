import type { Provider } from '@nestjs/common';
import { CompareMirror } from '../../engines/dual-write/compare-mirror';
import { DualWriteEngine } from '../../engines/dual-write/dual-write-engine';
import { MirrorBuffer } from '../../engines/dual-write/mirror-buffer';
import { ReliableEngine } from '../../engines/reliable/reliable-engine';
import type { Clock } from '../../ports/clock.port';
import type { Metrics } from '../../ports/metrics.port';
import type { MirrorReport, MirrorScope, MirrorStore } from '../../ports/mirror.port';
import type { ModeSource } from '../../ports/mode-source.port';
import { PostgresMirrorTruth } from '../../postgres/postgres-mirror-truth';
import { RedisMirror } from '../../redis/redis-mirror';
import { NonceEvents } from '../nonce-events';
import type { OpenDatabase } from '../open-database';
import {
  DATABASE,
  FAST_SIDE,
  MIRROR_REPORT,
  MODE_SOURCE,
  NONCE_CLOCK,
  NONCE_METRICS,
} from '../tokens';
import type { JobPlan } from '../tracking/periodic-job';
import type { FastSide } from './fast-side';

/** A mirror that lost something differs for about as long. */
const COMPARE_INTERVAL_MS = 2_000;

/** What mirrors to Redis and compares. Without Redis nothing is mirrored: all of it is null. */
export function mirrorProviders(): Provider[] {
  return [
    {
      provide: RedisMirror,
      inject: [FAST_SIDE],
      useFactory: (side: FastSide | null) =>
        side === null ? null : new RedisMirror(side.client, side.keys),
    },
    {
      provide: MirrorBuffer,
      inject: [RedisMirror, NONCE_CLOCK, NONCE_METRICS],
      useFactory: (store: MirrorStore | null, clock: Clock, metrics: Metrics) =>
        store === null ? null : new MirrorBuffer({ store, clock, metrics }),
    },
    {
      provide: DualWriteEngine,
      inject: [ReliableEngine, MirrorBuffer],
      useFactory: (reliable: ReliableEngine, mirror: MirrorBuffer | null) =>
        mirror === null ? null : new DualWriteEngine(reliable, mirror),
    },
    {
      provide: MIRROR_REPORT,
      inject: [RedisMirror, MODE_SOURCE],
      useFactory: (store: MirrorStore | null, mode: ModeSource) =>
        store === null ? null : reportOf(store, mode),
    },
    compareProvider(),
  ];
}

/** What a worker does to keep the mirror in step. */
export function mirrorJob(compare: CompareMirror): JobPlan {
  return {
    name: 'mirror-compare',
    intervalMs: COMPARE_INTERVAL_MS,
    run: (signal) => compare.tick(signal),
    end: () => compare.end(),
  };
}

function compareProvider(): Provider {
  return {
    // Null without Redis.
    provide: CompareMirror,
    inject: [
      FAST_SIDE,
      RedisMirror,
      DATABASE,
      MODE_SOURCE,
      NonceEvents,
      NONCE_METRICS,
      NONCE_CLOCK,
    ],
    useFactory: (
      ...[side, mirror, { runner }, mode, events, metrics, clock]: [
        FastSide | null,
        MirrorStore | null,
        OpenDatabase,
        ModeSource,
        NonceEvents,
        Metrics,
        Clock,
      ]
    ) => {
      if (side === null || mirror === null) return null;
      const truth = new PostgresMirrorTruth(runner);
      const scope = scopeOf(mode);
      return new CompareMirror({ truth, mirror, scope, events, metrics, clock }, side.worker);
    },
  };
}

/** Mirrored are those whom the mode, or their pin in a mode that heeds it, sends to dual-write. */
function scopeOf(mode: ModeSource): MirrorScope {
  return {
    active: () => {
      const { mode: ruling, pins } = mode.current();
      if (ruling === 'DUAL_WRITE') return true;
      return [...pins.keys()].some((submitter) => mode.engineFor(submitter) === 'dual-write');
    },
    epoch: () => mode.current().epoch,
    covers: (submitter) => mode.engineFor(submitter) === 'dual-write',
  };
}

function reportOf(store: MirrorStore, mode: ModeSource): MirrorReport {
  return {
    divergence: async () => {
      const standing = await store.standing();
      // What was found before the mode was left says nothing about what was decided since.
      return standing?.modeEpoch === mode.current().epoch ? standing : null;
    },
  };
}
