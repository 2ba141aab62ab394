import type { TrackedAllocation, TrackingVerdict } from '../ports/tracking-store.port';
import type { TrackedTransition } from '../ports/transition-log.port';
import { tellTransition, wasReorged } from './tell-transition';
import type { TrackingDeps } from './tracking-deps';

type Announcers = Pick<TrackingDeps, 'events' | 'metrics' | 'logger'>;

/** Tells in events, metrics and the log what was written; called after it is durable. */
export function announceVerdicts(
  verdicts: readonly TrackingVerdict[],
  rows: ReadonlyMap<string, TrackedAllocation>,
  { events, metrics, logger }: Announcers,
): void {
  for (const verdict of verdicts) {
    const row = rows.get(verdict.id);
    if (row === undefined) continue;
    const transition = toTransition(row, verdict);
    const { submitter, nonce, allocationId, from, to, reason } = transition;
    const of = { submitter, nonce, allocationId };
    tellTransition(transition, events);
    if (transition.stuck) logger.warn('a nonce needs a decision', { ...of, reason });
    if (from !== to) metrics.count('nonce_transitions_total', { from, to, cause: 'tracking' });
    if (from === 'CONFIRMED' && wasReorged(transition)) {
      // What a user was told is done is open again: somebody should know.
      metrics.count('nonce_anomalies_total', { kind: 'confirmed-reorged' });
      logger.error('a confirmed transaction was reorganised out', {
        ...of,
        txHash: transition.txHash,
      });
    }
  }
}

function toTransition(row: TrackedAllocation, verdict: TrackingVerdict): TrackedTransition {
  const { from, to, reason, stuck = false } = verdict;
  return {
    ...{ submitter: row.submitter, nonce: row.nonce, allocationId: row.id },
    ...{ from, to, reason, stuck },
    txHash: verdict.txHash ?? row.txHash,
    blockNumber: verdict.block?.number ?? null,
  };
}
