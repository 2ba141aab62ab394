import { runbookOf, type Alarm } from '../../domain/alarm';
import type { AlarmSink } from '../../ports/alarm.port';
import type { Logger } from '../../ports/logger.port';

/** Alarms as lines of the log. */
export class LogAlarmSink implements AlarmSink {
  readonly name = 'log';

  constructor(private readonly logger: Logger) {}

  deliver({ id, kind, subject, value, threshold, state }: Alarm): Promise<void> {
    const facts = { id, kind, subject, value: Math.round(value), threshold };
    if (state === 'raised') {
      this.logger.error('alarm', { ...facts, runbook: runbookOf(kind) });
    } else this.logger.info('alarm cleared', facts);
    return Promise.resolve();
  }
}
