import { runbookOf, type Alarm, type AlarmStore } from '@noncekit/nonce-core';
import type { EventLog } from './event-log';
import type { RelaySource } from './event-relay';

/** Longer than a statement may take between the instant it writes down and its commit. */
const OVERLAP_US = 5_000_000;

const keyOf = ({ id, state }: Alarm) => `${String(id)} ${state}`;

/** Alarms that workers raise and clear. */
export class AlarmSource implements RelaySource {
  readonly name = 'alarms';
  private afterUs: number | null = null;
  /** Told, and as young as the overlap. */
  private told = new Set<string>();

  constructor(private readonly store: Pick<AlarmStore, 'changedAfter'>) {}

  async begin(): Promise<void> {
    if (this.afterUs !== null) return;
    const { atUs } = await this.store.changedAfter(null);
    this.afterUs ??= atUs;
  }

  async read(log: Pick<EventLog, 'add'>): Promise<void> {
    if (this.afterUs === null) return;
    const { alarms, atUs } = await this.store.changedAfter(this.afterUs - OVERLAP_US);
    for (const alarm of alarms) if (!this.told.has(keyOf(alarm))) tell(alarm, log);
    this.told = new Set(alarms.map(keyOf));
    this.afterUs = atUs;
  }

  end(): void {
    this.afterUs = null;
    this.told.clear();
  }
}

function tell({ state, id, kind, subject, value, threshold }: Alarm, log: Pick<EventLog, 'add'>) {
  const data = { id, kind, subject, value, threshold, runbook: runbookOf(kind) };
  log.add(`alarm.${state}`, data);
}
