import type { Pool } from 'pg';
import type { AllocationStage } from '../../src/domain/allocation-state';

export interface LedgerRow {
  readonly nonce: number;
  readonly id: string;
  readonly stage: AllocationStage;
  readonly source: string;
  readonly operationId: string | null;
  readonly hashes: readonly string[];
}

/** What Postgres holds about one submitter, read past the product. */
export interface Ledger {
  readonly next: number;
  readonly rows: readonly LedgerRow[];
  /** Tokens of grants whose nonce was granted again since. */
  readonly earlierIds: ReadonlySet<string>;
}

type Queryable = Pick<Pool, 'query'>;

/** One consistent look at everything of a submitter. */
export async function readLedger(queryable: Queryable, submitter: string): Promise<Ledger> {
  const { rows } = await queryable.query<{
    next: string | null;
    rows: LedgerRow[] | null;
    earlier: string[] | null;
  }>(
    `SELECT
       (SELECT s.next_local_nonce FROM noncekit.submitter_nonce_state s WHERE s.submitter = $1)
         AS next,
       (SELECT json_agg(json_build_object('nonce', a.nonce, 'id', a.id, 'stage', a.stage,
           'source', a.source, 'operationId', a.operation_id,
           'hashes', coalesce(to_json(a.hashes), '[]'::json)) ORDER BY a.nonce)
        FROM noncekit.submitter_nonce_allocation a WHERE a.submitter = $1) AS rows,
       (SELECT json_agg(g.id) FROM noncekit.allocation_grant g WHERE g.submitter = $1) AS earlier`,
    [submitter],
  );
  const [found] = rows;
  return {
    next: Number(found?.next ?? 0),
    rows: found?.rows ?? [],
    earlierIds: new Set(found?.earlier ?? []),
  };
}

/** S12: each nonce in [start, next) has exactly one row, none above has any; no token is twice. */
export function expectPartition(ledger: Ledger, start = 0): void {
  const nonces = ledger.rows.map((row) => row.nonce);
  expect(nonces).toEqual(range(start, ledger.next));
  const ids = ledger.rows.map((row) => row.id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.filter((id) => ledger.earlierIds.has(id))).toEqual([]);
}

/** A grant that a caller was told of. */
export interface AcknowledgedGrant {
  readonly nonce: number;
  readonly id: string;
}

/** Nothing acknowledged is lost: the token owns that nonce still, or its grant has ended since. */
export function expectAllRecorded(ledger: Ledger, grants: readonly AcknowledgedGrant[]): void {
  const owners = new Map(ledger.rows.map((row) => [row.nonce, row.id]));
  const lost = grants.filter(
    (grant) => owners.get(grant.nonce) !== grant.id && !ledger.earlierIds.has(grant.id),
  );
  expect(lost).toEqual([]);
}

/**
 * S1 from the callers' own words: of all grants of one nonce, at most one has not ended by its
 * holder's release, the holder's death, or a refusal that told the holder so.
 */
export function expectSingleHolders(
  grants: readonly AcknowledgedGrant[],
  ended: ReadonlySet<string>,
): void {
  const holders = new Map<number, string[]>();
  for (const { nonce, id } of grants) {
    if (ended.has(id)) continue;
    holders.set(nonce, [...(holders.get(nonce) ?? []), id]);
  }
  expect([...holders].filter(([, ids]) => ids.length > 1)).toEqual([]);
}

export function range(from: number, end: number): number[] {
  return Array.from({ length: Math.max(0, end - from) }, (_, index) => from + index);
}
