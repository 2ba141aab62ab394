import { FOLLOWING_METRICS } from './following-metrics';

/** One row per metric: the registry, the docs and the tests are made from this table. */
export const METRICS = {
  nonce_allocations_total: {
    kind: 'counter',
    labels: ['engine', 'source', 'result'],
    help: 'Nonces granted, and allocation calls refused, by engine, source and result.',
  },
  nonce_allocate_duration_seconds: {
    kind: 'histogram',
    labels: ['engine'],
    help: 'Time from the allocation call to its answer.',
  },
  nonce_allocate_batch_size: {
    kind: 'histogram',
    labels: ['engine'],
    help: 'Callers answered by one database statement.',
  },
  nonce_transitions_total: {
    kind: 'counter',
    labels: ['from', 'to', 'cause'],
    help: 'Stage changes of allocations.',
  },
  nonce_handler_duration_seconds: {
    kind: 'histogram',
    labels: ['outcome'],
    help: 'Time a handler ran, by how it ended.',
  },
  nonce_template_duration_seconds: {
    kind: 'histogram',
    labels: [],
    help: 'Time of a whole withNonce call: allocate, run, settle.',
  },
  nonce_duplicate_allocations_total: {
    kind: 'counter',
    labels: [],
    help: 'Nonces granted twice without a release in between. Must stay 0.',
  },
  nonce_intent_missing_total: {
    kind: 'counter',
    labels: [],
    help: 'Transactions reported by a declared holder that had written no intent.',
  },
  nonce_anomalies_total: {
    kind: 'counter',
    labels: ['kind'],
    help: 'Facts that should not occur: foreign use of an account, a lowered count, a lost row.',
  },
  nonce_lock_skipped_total: {
    kind: 'counter',
    labels: ['reason'],
    help: 'Batches that ran without the Redis lock; only contention rises, never risk.',
  },
  nonce_mode_info: {
    kind: 'gauge',
    labels: ['mode'],
    help: '1 for the mode in force as this process knows it, 0 for those before it.',
  },
  nonce_mode_switches_total: {
    kind: 'counter',
    labels: ['from', 'to', 'trigger'],
    help: 'Switches of the mode that this process recorded, by an operator or automatic.',
  },
  nonce_mode_last_switch_timestamp_seconds: {
    kind: 'gauge',
    labels: [],
    help: 'When the mode in force was switched to.',
  },
  nonce_degraded_total: {
    kind: 'counter',
    labels: [],
    help: 'Times this process left Redis for Postgres because Redis failed.',
  },
  nonce_degraded_seconds_total: {
    kind: 'counter',
    labels: [],
    help: 'Time this process saw the mode DEGRADED in force.',
  },
  nonce_prefetch_exhausted_total: {
    kind: 'counter',
    labels: [],
    help: 'Allocations that had to wait because Redis had no fresh nonce left.',
  },
  nonce_epochs_total: {
    kind: 'counter',
    labels: ['engine', 'result'],
    help: 'Epochs of fast engines: won, joined, or burnt before their first use.',
  },
  nonce_epoch_delays_total: {
    kind: 'counter',
    labels: [],
    help: 'Times submitters had to wait because this process replaces so many epochs a second and no more.',
  },
  nonce_pool_level: {
    kind: 'gauge',
    labels: [],
    help: 'Fresh and recycled nonces ready in Redis, of the submitter this process served last.',
  },
  nonce_flush_backlog_records: {
    kind: 'gauge',
    labels: [],
    help: 'Events in Redis that Postgres has not applied yet.',
  },
  nonce_flush_oldest_record_age_seconds: {
    kind: 'gauge',
    labels: [],
    help: 'Age of the oldest event that Postgres has not applied yet; 0 when there is none.',
  },
  nonce_flush_records_total: {
    kind: 'counter',
    labels: ['result'],
    help: 'Events applied, failed (they come again), and buried as dead letters.',
  },
  nonce_flush_last_success_timestamp_seconds: {
    kind: 'gauge',
    labels: [],
    help: 'When this process last flushed without a failure.',
  },
  nonce_flush_last_failure_timestamp_seconds: {
    kind: 'gauge',
    labels: [],
    help: 'When a flush of this process last failed.',
  },
  nonce_dead_letters: {
    kind: 'gauge',
    labels: [],
    help: 'Events that could not be applied and wait for a decision.',
  },
  nonce_mirror_records_total: {
    kind: 'counter',
    labels: ['result'],
    help: 'Facts for the mirror in Redis: written, failed to be written, or dropped before.',
  },
  nonce_mirror_waiting: {
    kind: 'gauge',
    labels: [],
    help: 'Facts of this process that wait to be written to the mirror.',
  },
  nonce_mirror_repairs_total: {
    kind: 'counter',
    labels: ['cause'],
    help: 'Facts that the comparison brought to the mirror: late ones, and divergence.',
  },
  nonce_mirror_divergence_total: {
    kind: 'counter',
    labels: ['kind'],
    help: 'Differences between mirror and Postgres that two looks in a row have seen.',
  },
  nonce_mirror_in_step: {
    kind: 'gauge',
    labels: [],
    help: '1 while this process compares the mirror and its last round found no difference, else 0.',
  },
  ...FOLLOWING_METRICS,
} as const satisfies Record<
  string,
  { kind: 'counter' | 'gauge' | 'histogram'; labels: readonly string[]; help: string }
>;

export type MetricName = keyof typeof METRICS;
type OfKind<Kind extends string> = {
  [Name in MetricName]: (typeof METRICS)[Name]['kind'] extends Kind ? Name : never;
}[MetricName];
type LabelsOf<Name extends MetricName> = Readonly<
  Record<(typeof METRICS)[Name]['labels'][number], string>
>;

/** Never receives a nonce, hash or id as a label. The no-op twin is `NO_METRICS`. */
export interface Metrics {
  count<Name extends OfKind<'counter'>>(name: Name, labels: LabelsOf<Name>, by?: number): void;
  set<Name extends OfKind<'gauge'>>(name: Name, labels: LabelsOf<Name>, value: number): void;
  observe<Name extends OfKind<'histogram'>>(
    name: Name,
    labels: LabelsOf<Name>,
    value: number,
  ): void;
}

export const NO_METRICS: Metrics = {
  count: () => undefined,
  set: () => undefined,
  observe: () => undefined,
};
