import type { Provider } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { AutoPromote } from '../../modes/auto-promote';
import { Degrade } from '../../modes/degrade';
import { LoadMeter } from '../../modes/load-meter';
import { Preflight } from '../../modes/preflight';
import { RecordSwitch } from '../../modes/record-switch';
import { ReturnToFast } from '../../modes/return-to-fast';
import type { ShardBreakers } from '../../modes/shard-breakers';
import { SwitchRunner } from '../../modes/switch-runner';
import type { Clock } from '../../ports/clock.port';
import type { Logger } from '../../ports/logger.port';
import type { Metrics } from '../../ports/metrics.port';
import type { ModeSource } from '../../ports/mode-source.port';
import { NonceEvents } from '../nonce-events';
import type { ResolvedNonceOptions } from '../options';
import {
  MODE_JOBS,
  MODE_SOURCE,
  NONCE_CLOCK,
  NONCE_LOGGER,
  NONCE_METRICS,
  NONCE_OPTIONS,
  SHARD_BREAKERS,
} from '../tokens';
import { PeriodicJob, type JobPlan } from '../tracking/periodic-job';
import { PeriodicJobs } from '../tracking/periodic-jobs';

/** A switch whose runner died is gone on with this much after its silence is noticed. */
const RUN_MS = 1_000;
/** What could not be recorded while Postgres was away is tried again as often. */
const DEGRADE_MS = 250;
const LOAD_MS = 1_000;
/** Probes fall anywhere within these parts of their interval. */
const PROBES_PER_INTERVAL = 2;

interface Parts {
  readonly breakers: ShardBreakers | null;
  readonly mode: ModeSource;
  readonly preflight: Preflight;
  readonly recording: RecordSwitch;
  readonly runner: SwitchRunner;
  readonly events: NonceEvents;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** In every process: goes on with switches, degrades and returns, promotes by load. */
export function modeJobsProvider(): Provider {
  return {
    provide: MODE_JOBS,
    inject: [
      SchedulerRegistry,
      SHARD_BREAKERS,
      MODE_SOURCE,
      Preflight,
      RecordSwitch,
      SwitchRunner,
      NonceEvents,
      NONCE_METRICS,
      NONCE_LOGGER,
      NONCE_CLOCK,
      NONCE_OPTIONS,
    ],
    useFactory: (
      ...[registry, breakers, mode, preflight, recording, runner, ...rest]: [
        SchedulerRegistry,
        ShardBreakers | null,
        ModeSource,
        Preflight,
        RecordSwitch,
        SwitchRunner,
        NonceEvents,
        Metrics,
        Logger,
        Clock,
        ResolvedNonceOptions,
      ]
    ) => {
      const [events, metrics, logger, clock, options] = rest;
      mode.onChange(({ sinceMs }) => {
        metrics.set('nonce_mode_last_switch_timestamp_seconds', {}, sinceMs / 1_000);
      });
      const observers = { events, metrics, logger, clock };
      const parts: Parts = { breakers, mode, preflight, recording, runner, ...observers };
      const plans = [
        runJob(parts),
        ...(breakers === null ? [] : redisJobs({ ...parts, breakers }, options)),
        ...(options.autoPromote.enabled ? [promoteJob(parts, options)] : []),
      ];
      const jobs = plans.map((plan) => new PeriodicJob(plan, { clock, metrics, logger }));
      return new PeriodicJobs(registry, jobs, logger, options.shutdown.deadlineMs);
    },
  };
}

function runJob({ mode, runner }: Parts): JobPlan {
  return {
    name: 'mode-switch',
    intervalMs: RUN_MS,
    run: () => {
      if (mode.current().runningSwitch !== null) runner.tick();
      return Promise.resolve();
    },
    end: () => runner.stop(),
  };
}

function redisJobs(
  { breakers, ...parts }: Parts & { readonly breakers: ShardBreakers },
  { degrade: settings }: ResolvedNonceOptions,
): readonly JobPlan[] {
  const degrade = new Degrade({ ...parts, breakers }, settings);
  const intervalMs = Math.ceil(settings.probeIntervalMs / PROBES_PER_INTERVAL);
  const back = new ReturnToFast(
    { ...parts, breakers, random: Math.random },
    { ...settings, probeIntervalMs: intervalMs },
  );
  return [
    { name: 'mode-degrade', intervalMs: DEGRADE_MS, run: () => degrade.tick() },
    { name: 'mode-return', intervalMs, run: (signal) => back.tick(signal) },
  ];
}

function promoteJob({ events, ...parts }: Parts, { autoPromote }: ResolvedNonceOptions): JobPlan {
  const load = new LoadMeter(parts.clock, autoPromote.allocationsPerSecond);
  events.on('allocation.transition', ({ to, cause }) => {
    if (to === 'GRANTED' && cause === 'allocate') load.count();
  });
  const promote = new AutoPromote({ ...parts, load }, autoPromote);
  return { name: 'mode-promote', intervalMs: LOAD_MS, run: () => promote.tick() };
}
