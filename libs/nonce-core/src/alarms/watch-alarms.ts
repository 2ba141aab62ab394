import { randomUUID } from 'node:crypto';
import { ALARM_KINDS, runbookOf, type Alarm, type AlarmThresholds } from '../domain/alarm';
import type { AlarmSink, AlarmStore } from '../ports/alarm.port';
import type { ChainRegistry } from '../ports/chain.port';
import type { HealthProbe } from '../ports/health.port';
import type { EventSink } from '../ports/events.port';
import type { Logger } from '../ports/logger.port';
import type { Metrics } from '../ports/metrics.port';
import { decideAlarms } from './decide-alarms';

export interface WatchAlarmsDeps {
  readonly store: AlarmStore;
  /** null without Redis. */
  readonly redis: HealthProbe | null;
  readonly sinks: readonly AlarmSink[];
  readonly chains: ChainRegistry;
  readonly events: EventSink;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** After this an alarm that nobody was told of is taken up again, by any worker. */
const CLAIM_MS = 30_000;
/** A Redis that needs longer is of no use to anybody. */
const REDIS_PATIENCE_MS = 2_000;

/**
 * Measures, raises and clears alarms, and tells people of them. Any number of workers: an alarm is
 * raised once, and told by one worker; one that dies or reaches nobody is followed by another.
 * Delivery is at least once, in no order between alarms.
 */
export class WatchAlarms {
  private readonly reporter = randomUUID();

  constructor(
    private readonly deps: WatchAlarmsDeps,
    private readonly thresholds: AlarmThresholds,
    private readonly claimMs: number = CLAIM_MS,
  ) {}

  async tick(): Promise<void> {
    const { store, redis, chains, metrics } = this.deps;
    if (redis !== null) {
      await store.reportRedis(this.reporter, (await redis.check(REDIS_PATIENCE_MS)).up);
    }
    const chainIds = chains.all.map(({ profile }) => profile.chainId);
    const { figures, open } = await store.measure(chainIds);
    const decision = decideAlarms(figures, open, this.thresholds);
    await store.apply(decision);
    const cleared = new Set(decision.clear);
    for (const kind of ALARM_KINDS) {
      const left = open.filter((alarm) => alarm.kind === kind && !cleared.has(alarm.id)).length;
      const raised = decision.raise.filter((alarm) => alarm.kind === kind).length;
      metrics.set('nonce_alarms_open', { kind }, left + raised);
    }
    const claimed = await store.claim(this.claimMs);
    const told = await Promise.all(claimed.map((alarm) => this.tell(alarm)));
    await store.settle(claimed.filter((_, index) => told[index]));
  }

  /** True when every sink took it. */
  private async tell(alarm: Alarm): Promise<boolean> {
    const { sinks, events } = this.deps;
    const { id, kind, subject, value, threshold } = alarm;
    const payload = { id, kind, subject, value, threshold, runbook: runbookOf(kind) };
    events.publish(alarm.state === 'raised' ? 'alarm.raised' : 'alarm.cleared', payload);
    const took = await Promise.all(sinks.map((sink) => this.deliver(sink, alarm)));
    return took.every(Boolean);
  }

  private async deliver(sink: AlarmSink, alarm: Alarm): Promise<boolean> {
    const { metrics, logger } = this.deps;
    try {
      await sink.deliver(alarm);
      metrics.count('nonce_alarm_deliveries_total', { sink: sink.name, result: 'delivered' });
      return true;
    } catch (error) {
      metrics.count('nonce_alarm_deliveries_total', { sink: sink.name, result: 'failed' });
      const { id, kind } = alarm;
      logger.warn('an alarm reached nobody', { sink: sink.name, id, kind, reason: String(error) });
      return false;
    }
  }
}
