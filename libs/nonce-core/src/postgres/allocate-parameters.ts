import type { AllocateBatch, AllocateRow } from '../ports/allocation-store.port';
import type { StatementParameters } from './generated/sql';
import type { Unguarded } from './statement-runner';

/** A batch in the order the statement wants: by submitter, then as the callers came. */
export interface SortedBatch {
  /** Original position of each sorted request. */
  readonly positions: readonly number[];
  readonly rows: readonly AllocateRow[];
  /** 1-based submitter of each request, as the statement numbers them. */
  readonly requestSubmitter: readonly number[];
  readonly parameters: Unguarded<StatementParameters['allocateBatch']>;
}

/** Lays a batch out as the parallel arrays of `allocate_batch`. */
export function sortBatch(batch: AllocateBatch): SortedBatch {
  const positions = batch.rows.map((_, index) => index);
  positions.sort((a, b) => compare(keyOf(batch, a), keyOf(batch, b)) || a - b);
  const rows = positions.map((position) => batch.rows[position] as AllocateRow);
  const slots = slotColumns(rows, batch.maxInFlight);
  return {
    positions,
    rows,
    requestSubmitter: slots.requestSubmitter,
    parameters: {
      ...slots,
      ...requestColumns(rows),
      quarantineMs: batch.quarantine.ms,
      release: batch.quarantine.release,
      strict: strictColumn(rows, slots.submitters),
      skipLocked: batch.skipLocked,
      retry: batch.retry,
    },
  };
}

/** Everything that is counted per submitter or per wanted nonce, in one pass over sorted rows. */
function slotColumns(
  rows: readonly AllocateRow[],
  defaultWindow: number,
): Record<
  'windows' | 'needs' | 'minTtlMs' | 'requestSubmitter' | 'slotRequest' | 'slotRank',
  number[]
> &
  Record<'submitters' | 'slotIds', string[]> {
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
      windows.push(row.maxInFlight ?? defaultWindow);
      needs.push(0);
      minTtlMs.push(row.ttlMs);
    }
    const last = submitters.length - 1;
    minTtlMs[last] = Math.min(minTtlMs[last] ?? row.ttlMs, row.ttlMs);
    requestSubmitter.push(last + 1);
    for (const id of row.ids) {
      const rank = needs[last] ?? 0;
      slotIds.push(id);
      slotRequest.push(index + 1);
      slotRank.push(rank);
      needs[last] = rank + 1;
    }
  });
  return { submitters, windows, needs, minTtlMs, requestSubmitter, slotIds, slotRequest, slotRank };
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

/** null when no chain is strict: then nothing is looked up for it. */
function strictColumn(
  rows: readonly AllocateRow[],
  submitters: readonly string[],
): boolean[] | null {
  const strict = new Set<string>();
  for (const row of rows) if (row.strictNonce === true) strict.add(row.submitter);
  return strict.size === 0 ? null : submitters.map((submitter) => strict.has(submitter));
}

function keyOf(batch: AllocateBatch, position: number): string {
  return batch.rows[position]?.submitter ?? '';
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
