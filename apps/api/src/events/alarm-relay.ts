import type { OnApplicationShutdown } from '@nestjs/common';
import { runbookOf, type AlarmStore, type Logger } from '@noncekit/nonce-core';
import type { EventLog } from './event-log';

const LOOK_MS = 1_000;

/** Brings alarms, which workers raise, to the streams of this process; while anybody listens. */
export class AlarmRelay implements OnApplicationShutdown {
  private readonly timer: NodeJS.Timeout;
  private looking = false;
  private afterUs: number | null = null;

  constructor(
    private readonly store: Pick<AlarmStore, 'changedAfter'>,
    private readonly log: EventLog,
    private readonly logger: Logger,
  ) {
    this.timer = setInterval(() => void this.tick(), LOOK_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** Never rejects. */
  async tick(): Promise<void> {
    if (this.looking) return;
    if (this.log.listening === 0) {
      this.afterUs = null;
      return;
    }
    this.looking = true;
    try {
      const { alarms, atUs } = await this.store.changedAfter(this.afterUs);
      for (const { state, id, kind, subject, value, threshold } of alarms) {
        const data = { id, kind, subject, value, threshold, runbook: runbookOf(kind) };
        this.log.add(`alarm.${state}`, data);
      }
      this.afterUs = atUs;
    } catch (error) {
      this.logger.warn('alarms cannot be read for event streams', { reason: String(error) });
    } finally {
      this.looking = false;
    }
  }
}
