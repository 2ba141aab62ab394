import type { TrackedAllocation, TrackingVerdict } from '../ports/tracking-store.port';
import type { TrackingDeps } from './tracking-deps';

type Announcers = Pick<TrackingDeps, 'events' | 'metrics' | 'logger'>;

/** Tells in events, metrics and the log what was written; called after it is durable. */
export function announceVerdicts(
  verdicts: readonly TrackingVerdict[],
  rows: ReadonlyMap<string, TrackedAllocation>,
  announcers: Announcers,
): void {
  for (const verdict of verdicts) {
    const row = rows.get(verdict.id);
    if (row === undefined) continue;
    if (verdict.stuck === true) announceStuck(row, verdict, announcers);
    if (verdict.from === verdict.to) continue;
    const { from, to, reason: cause } = verdict;
    announcers.metrics.count('nonce_transitions_total', { from, to, cause: 'tracking' });
    announcers.events.publish('allocation.transition', { ...nameOf(row), from, to, cause });
    announceTransaction(row, verdict, announcers);
  }
}

function announceTransaction(
  row: TrackedAllocation,
  verdict: TrackingVerdict,
  { events, metrics, logger }: Announcers,
): void {
  const txHash = verdict.txHash ?? row.txHash;
  if (txHash === null) return;
  const of = { ...nameOf(row), txHash };
  switch (verdict.to) {
    case 'MINED':
      events.publish('tx.included', { ...of, blockNumber: verdict.block?.number ?? 0 });
      break;
    case 'CONFIRMED':
      events.publish('tx.confirmed', of);
      break;
    case 'FINAL':
      events.publish('tx.final', of);
      break;
    case 'BROADCAST':
      if (row.stage !== 'MINED' && row.stage !== 'CONFIRMED') break;
      events.publish('tx.reorged', of);
      if (row.stage === 'CONFIRMED') {
        // What a user was told is done is open again: somebody should know.
        metrics.count('nonce_anomalies_total', { kind: 'confirmed-reorged' });
        logger.error('a confirmed transaction was reorganised out', { ...of });
      }
      break;
    default:
      break;
  }
}

function announceStuck(
  row: TrackedAllocation,
  { reason }: TrackingVerdict,
  { events, logger }: Announcers,
): void {
  events.publish('tx.stuck', { ...nameOf(row), reason });
  logger.warn('a nonce needs a decision', { ...nameOf(row), reason });
}

function nameOf({ submitter, nonce, id }: TrackedAllocation): {
  submitter: string;
  nonce: number;
  allocationId: string;
} {
  return { submitter, nonce, allocationId: id };
}
