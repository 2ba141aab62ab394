import { STATUS_OF, type AllocationStatus } from '../domain/allocation-state';
import type { Epoch } from '../domain/epoch';
import { toGaps, type BlockingNonce } from '../domain/gap';
import type { Nonce } from '../domain/nonce';
import type { SubmitterView } from '../domain/submitter-view';
import type { InMemoryQueue } from './in-memory-queue';
import type { InMemoryRow } from './in-memory-row';

/** One queue as an operator sees it. */
export function viewQueue(queue: InMemoryQueue, window: number, nowMs: number): SubmitterView {
  const rows = [...queue.rows.values()].sort((a, b) => a.nonce - b.nonce);
  const counts: Record<AllocationStatus, number> = { RESERVED: 0, USED: 0, RECYCLABLE: 0 };
  for (const row of rows) counts[STATUS_OF[row.stage]] += 1;
  const oldest = rows.find((row) => STATUS_OF[row.stage] === 'RESERVED');
  return {
    submitter: queue.submitter,
    label: null,
    nextLocalNonce: queue.next as Nonce,
    ceiling: queue.next as Nonce,
    epoch: 1 as Epoch,
    engine: 'reliable',
    lastChainNonce: null,
    chainLatest: queue.chainLatest,
    counts,
    gaps: toGaps(rows.flatMap((row) => blocking(row, nowMs))),
    oldestReservedAgeMs: oldest === undefined ? null : nowMs - oldest.createdAtMs,
    maxInFlight: queue.windowOf(window),
    paused: queue.pausedReason !== null,
    pausedReason: queue.pausedReason,
    pinnedMode: null,
    asOf: new Date(nowMs),
  };
}

function blocking({ nonce, stage, deadlineMs }: InMemoryRow, nowMs: number): BlockingNonce[] {
  const isOverdue = stage === 'GRANTED' && deadlineMs !== null && deadlineMs <= nowMs;
  if (stage !== 'REUSABLE' && stage !== 'QUARANTINED' && !isOverdue) return [];
  return [{ nonce: nonce as Nonce, stage: isOverdue ? 'GRANTED' : stage, stuck: false }];
}
