import type { AllocateBatch, AllocateRow } from '../ports/allocation-store.port';
import type { StatementParameters } from './generated/sql';

/** A batch in the order the statement wants: by submitter, then as the callers came. */
export interface SortedBatch {
  /** Original position of each sorted request. */
  readonly positions: readonly number[];
  readonly rows: readonly AllocateRow[];
  /** 1-based submitter of each request, as the statement numbers them. */
  readonly requestSubmitter: readonly number[];
  readonly parameters: StatementParameters['allocateBatch'];
}

/** Lays a batch out as the parallel arrays of `allocate_batch`. */
export function sortBatch(batch: AllocateBatch): SortedBatch {
  const positions = batch.rows.map((_, index) => index);
  positions.sort((a, b) => compare(keyOf(batch, a), keyOf(batch, b)) || a - b);
  const rows = positions.map((position) => batch.rows[position] as AllocateRow);
  const submitters: string[] = [];
  const windows: number[] = [];
  const needs: number[] = [];
  const minTtlMs: number[] = [];
  const requestSubmitter: number[] = [];
  const slotIds: string[] = [];
  const slotRequest: number[] = [];
  const slotRank: number[] = [];
  rows.forEach((row, index) => {
    if (submitters.at(-1) !== row.submitter) {
      submitters.push(row.submitter);
      windows.push(row.maxInFlight ?? batch.maxInFlight);
      needs.push(0);
      minTtlMs.push(row.ttlMs);
    }
    const submitter = submitters.length;
    minTtlMs[submitter - 1] = Math.min(minTtlMs[submitter - 1] ?? row.ttlMs, row.ttlMs);
    requestSubmitter.push(submitter);
    for (const id of row.ids) {
      slotIds.push(id);
      slotRequest.push(index + 1);
      const rank = needs[submitter - 1] ?? 0;
      slotRank.push(rank);
      needs[submitter - 1] = rank + 1;
    }
  });
  return {
    positions,
    rows,
    requestSubmitter,
    parameters: {
      submitters,
      windows,
      needs,
      minTtlMs,
      requestSubmitter,
      ...requestColumns(rows),
      slotIds,
      slotRequest,
      slotRank,
      quarantineMs: batch.quarantine.ms,
      release: batch.quarantine.release,
      skipLocked: batch.skipLocked,
      retry: batch.retry,
    },
  };
}

function requestColumns(rows: readonly AllocateRow[]): {
  requestCount: number[];
  requestTtlMs: number[];
  requestExposure: string[];
  requestOperation: (string | null)[] | null;
  requestHash: (string | null)[] | null;
  requestMetadata: (string | null)[] | null;
} {
  const named = rows.some((row) => row.operationId !== null);
  const described = rows.some((row) => row.metadata !== null);
  return {
    requestCount: rows.map((row) => row.ids.length),
    requestTtlMs: rows.map((row) => row.ttlMs),
    requestExposure: rows.map((row) => row.exposure),
    requestOperation: named ? rows.map((row) => row.operationId) : null,
    requestHash: named ? rows.map((row) => row.requestHash) : null,
    requestMetadata: described
      ? rows.map((row) => (row.metadata === null ? null : JSON.stringify(row.metadata)))
      : null,
  };
}

function keyOf(batch: AllocateBatch, position: number): string {
  return batch.rows[position]?.submitter ?? '';
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
