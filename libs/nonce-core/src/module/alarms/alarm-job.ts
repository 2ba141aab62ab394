import { WatchAlarms, type WatchAlarmsDeps } from '../../alarms/watch-alarms';
import type { AlarmSink } from '../../ports/alarm.port';
import type { Logger } from '../../ports/logger.port';
import type { ResolvedNonceOptions } from '../options';
import type { JobPlan } from '../tracking/periodic-job';
import { LogAlarmSink } from './log-alarm-sink';
import { WebhookAlarmSink } from './webhook-alarm-sink';

/** Far below every default threshold, and rare enough to read all open work. */
const INTERVAL_MS = 10_000;

/** What a worker does to tell people of what is wrong. */
export function alarmJob(
  deps: Omit<WatchAlarmsDeps, 'sinks'>,
  options: Pick<ResolvedNonceOptions, 'alarms' | 'alarmSink'>,
): JobPlan {
  const watch = new WatchAlarms(
    { ...deps, sinks: sinksOf(options, deps.logger) },
    options.alarms.thresholds,
  );
  return { name: 'alarms', intervalMs: INTERVAL_MS, run: () => watch.tick() };
}

function sinksOf(
  { alarms, alarmSink }: Pick<ResolvedNonceOptions, 'alarms' | 'alarmSink'>,
  logger: Logger,
): readonly AlarmSink[] {
  return [
    new LogAlarmSink(logger),
    ...(alarms.webhook === null ? [] : [new WebhookAlarmSink(alarms.webhook)]),
    ...(alarmSink === null ? [] : [alarmSink]),
  ];
}
