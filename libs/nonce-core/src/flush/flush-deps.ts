import type { QuarantinePolicy } from '../domain/quarantine-policy';
import type { Clock } from '../ports/clock.port';
import type { EventSink } from '../ports/events.port';
import type { FlushReports } from '../ports/flush-report.port';
import type { EventQueue, FlushStore } from '../ports/flush-store.port';
import type { Logger } from '../ports/logger.port';
import type { Metrics } from '../ports/metrics.port';

/** What flushing works with. */
export interface FlushDeps {
  readonly queue: EventQueue;
  readonly store: FlushStore;
  readonly reports: Pick<FlushReports, 'note'>;
  readonly events: EventSink;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly clock: Clock;
}

export interface FlushSettings {
  /** This process among all that flush. */
  readonly worker: string;
  /** Shards of the installation. */
  readonly shards: number;
  readonly quarantine: QuarantinePolicy;
  /** Events per transaction. */
  readonly batchMax: number;
  /** Failures in a row before somebody is told. */
  readonly retries: number;
  /** Deliveries after which an event that cannot be applied becomes a dead letter. */
  readonly maxDeliveries: number;
  /** For how long a claim on shards lasts without renewal. */
  readonly leaseMs: number;
  /** Time without acknowledgement after which another worker's deliveries are taken over. */
  readonly silentMs: number;
}

/** Defaults, each with its reason. */
export const FLUSH_DEFAULTS = {
  batchMax: 500,
  retries: 3,
  maxDeliveries: 5,
  /** Renewed three times as often; the shards of a dead worker wait this long at most. */
  leaseMs: 6_000,
  /** Longer than any statement may last (its own limit is 2 s), and than the repeats of one's own. */
  silentMs: 15_000,
} as const;
