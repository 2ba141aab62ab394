/** Of what goes on beside allocations: chains that are followed, rows that wait, witnesses, jobs. */
export const FOLLOWING_METRICS = {
  nonce_chain_head: {
    kind: 'gauge',
    labels: ['chain'],
    help: 'Number of the block that this process followed the chain to.',
  },
  nonce_reorgs_total: {
    kind: 'counter',
    labels: ['chain'],
    help: 'Times that blocks were seen to be replaced, however many at once.',
  },
  nonce_rpc_requests_total: {
    kind: 'counter',
    labels: ['method', 'result'],
    help: 'Requests to RPC providers.',
  },
  nonce_rpc_request_duration_seconds: {
    kind: 'histogram',
    labels: ['method'],
    help: 'Time of requests to RPC providers.',
  },
  nonce_store_up: {
    kind: 'gauge',
    labels: ['store'],
    help: '1 while the store answers, else 0.',
  },
  nonce_align_total: {
    kind: 'counter',
    labels: ['result'],
    help: 'Alignments of a submitter with its chain.',
  },
  nonce_reconcile_total: {
    kind: 'counter',
    labels: ['result'],
    help: 'Submitters that full reconciliations compared with their chains.',
  },
  nonce_alarms_open: {
    kind: 'gauge',
    labels: ['kind'],
    help: 'Open alarms, as this worker saw them last.',
  },
  nonce_alarm_deliveries_total: {
    kind: 'counter',
    labels: ['sink', 'result'],
    help: 'Attempts to tell people of alarms.',
  },
  nonce_reserved_overdue: {
    kind: 'gauge',
    labels: [],
    help: 'Reservations past their deadline that no sweep has settled yet.',
  },
  nonce_quarantined: {
    kind: 'gauge',
    labels: [],
    help: 'Nonces that may have been sent and wait for evidence.',
  },
  nonce_stuck: {
    kind: 'gauge',
    labels: [],
    help: 'Nonces that need a decision.',
  },
  nonce_recyclable_total: {
    kind: 'gauge',
    labels: [],
    help: 'Nonces proven never exposed that wait to be issued again.',
  },
  nonce_recovery_submitters: {
    kind: 'gauge',
    labels: [],
    help: 'Submitters whose grants the database may have forgotten, and that are not settled yet.',
  },
  nonce_recovery_hold: {
    kind: 'gauge',
    labels: [],
    help: '1 while nothing is issued because nobody vouches for the database, else 0.',
  },
  nonce_witness_keeps_total: {
    kind: 'counter',
    labels: ['place', 'result'],
    help: 'Epochs and ceilings told to the witnesses before their first use.',
  },
  nonce_worker_ticks_total: {
    kind: 'counter',
    labels: ['job', 'result'],
    help: 'Runs of a periodic job, by how they ended.',
  },
  nonce_worker_last_tick_timestamp_seconds: {
    kind: 'gauge',
    labels: ['job'],
    help: 'When a periodic job last finished.',
  },
} as const;
