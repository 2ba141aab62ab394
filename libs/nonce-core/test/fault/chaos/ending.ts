import type { Pool } from 'pg';
import type { Ending } from '../history/history';

const SETTLED = `'INTENT', 'BROADCAST', 'MINED', 'BURNING', 'ASSERTED', 'CONFIRMED', 'FINAL',
  'BURNT', 'CONSUMED_EXTERNAL'`;

/** Everything Postgres holds, read past the product, in one consistent look. */
export async function readEnding(pool: Pool, starts: ReadonlyMap<string, number>): Promise<Ending> {
  const { rows } = await pool.query<{ ending: Ending }>(
    `SELECT json_build_object(
       'submitters', (SELECT coalesce(json_agg(json_build_object('submitter', s.submitter,
           'start', 0, 'next', s.next_local_nonce)), '[]'::json)
         FROM submitter_nonce_state s WHERE s.submitter = ANY ($1)),
       'rows', (SELECT coalesce(json_agg(json_build_object('submitter', a.submitter,
           'nonce', a.nonce, 'token', a.id, 'stage', a.stage, 'source', a.source,
           'hashes', coalesce(to_json(a.hashes), '[]'::json), 'txHash', a.tx_hash)), '[]'::json)
         FROM submitter_nonce_allocation a WHERE a.submitter = ANY ($1)),
       'earlier', (SELECT coalesce(json_agg(json_build_object('submitter', g.submitter,
           'nonce', g.nonce, 'token', g.id,
           'hashes', coalesce(to_json(g.hashes), '[]'::json))), '[]'::json)
         FROM allocation_grant g WHERE g.submitter = ANY ($1))
     ) AS ending`,
    [[...starts.keys()]],
  );
  const [found] = rows;
  if (found === undefined) throw new Error('Postgres answered without a row');
  const { submitters, ...rest } = found.ending;
  return {
    ...rest,
    submitters: submitters.map((each) => ({ ...each, start: starts.get(each.submitter) ?? 0 })),
  };
}

/** Nonces below the counter that nobody has exposed: gaps, for as long as they stay there. */
export async function countGaps(pool: Pool, submitters: readonly string[]): Promise<number> {
  const { rows } = await pool.query<{ gaps: string }>(
    `SELECT sum(s.next_local_nonce - s.start - s.spent) AS gaps FROM (
       SELECT s.next_local_nonce, 0 AS start, (
         SELECT count(*) FROM submitter_nonce_allocation a
         WHERE a.submitter = s.submitter AND a.stage IN (${SETTLED})) AS spent
       FROM submitter_nonce_state s WHERE s.submitter = ANY ($1)) s`,
    [submitters],
  );
  return Number(rows[0]?.gaps ?? 0);
}
