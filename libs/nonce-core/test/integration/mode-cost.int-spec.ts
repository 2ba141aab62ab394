import type { PoolClient } from 'pg';
import { PostgresModeStore } from '../../src/postgres/postgres-mode-store';
import { openStore, type StoreFixture } from '../support/store-fixture';

const SUBMITTERS = 100_000;

let fixture: StoreFixture;
beforeAll(async () => {
  fixture = await openStore();
  const { pool } = fixture.database;
  await pool.query(
    `INSERT INTO submitter_nonce_state (submitter, engine, incarnation, base, next_local_nonce, ceiling)
     SELECT 'eip155:1:0x' || lpad(to_hex(n), 40, '0'), 'performance', 'redis-1', 0, 0, 0
     FROM generate_series(1, $1::integer) n`,
    [SUBMITTERS],
  );
  await pool.query(
    `INSERT INTO submitter_nonce_allocation (submitter, chain_generation, nonce, id, stage, source,
       exposure, engine, epoch, hashes, deadline, created_at, updated_at)
     SELECT submitter, 1, 0, gen_random_uuid(), 'INTENT', 'fresh', 'declared', 'performance', 1,
       ARRAY['0x' || repeat('a', 64)], NULL, now(), now()
     FROM submitter_nonce_state`,
  );
});
afterAll(() => fixture.close());

interface Reads {
  readonly scans: number;
  readonly rows: number;
}

/** What statements of one transaction read of the two big tables, by Postgres's own count. */
async function readsOf(run: (client: PoolClient) => Promise<unknown>): Promise<Reads> {
  const client = await fixture.database.pool.connect();
  try {
    await client.query('BEGIN');
    // Counts of the connection's last transactions may still be among them.
    const before = await counted(client);
    await run(client);
    const after = await counted(client);
    await client.query('COMMIT');
    return { scans: after.scans - before.scans, rows: after.rows - before.rows };
  } finally {
    client.release();
  }
}

async function counted(client: PoolClient): Promise<Reads> {
  const { rows } = await client.query<Reads>(
    `SELECT sum(seq_scan)::integer AS scans,
       sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::integer AS rows
     FROM pg_stat_xact_user_tables
     WHERE relname IN ('submitter_nonce_state', 'submitter_nonce_allocation')`,
  );
  const [found] = rows;
  if (found === undefined) throw new Error('nothing is counted');
  return found;
}

it('a scan is noticed', async () => {
  const reads = await readsOf((client) =>
    client.query('SELECT count(*) FROM submitter_nonce_state WHERE label IS NULL'),
  );
  expect(reads).toEqual({ scans: 1, rows: SUBMITTERS });
});

const STATEMENTS = [
  'SELECT * FROM mode_snapshot(10000, NULL)',
  'SELECT count_fast_epochs(100)',
  'SELECT count_fast_grants(100)',
] as const;

/** Statistics that say "everything" and "nothing" lead to different plans elsewhere. */
const SHAPES = [
  ['all are in fast epochs', 'ANALYZE'],
  [
    'none is, and the statistics are of before',
    `UPDATE submitter_nonce_state SET engine = 'reliable', incarnation = NULL`,
  ],
  ['none is', 'VACUUM ANALYZE'],
] as const;

describe.each(SHAPES)('beside 100,000 submitters of which %s', (_, sql) => {
  beforeAll(() => fixture.database.pool.query(sql));

  it.each(STATEMENTS)('no table is scanned by %s', async (statement) => {
    const { scans, rows } = await readsOf((client) => client.query(statement));
    expect(scans).toBe(0);
    expect(rows).toBeLessThanOrEqual(110);
  });
});

it('pins are read where they are not known yet', async () => {
  const store = new PostgresModeStore(fixture.runner);
  const { rows } = await fixture.database.pool.query<{ submitter: string }>(
    'SELECT submitter FROM submitter_nonce_state ORDER BY submitter DESC LIMIT 3',
  );
  for (const { submitter } of rows) await store.pin(submitter as never, 'RELIABLE', 'operator');
  const read = (known: string) =>
    readsOf((client) => client.query(`SELECT * FROM mode_snapshot(10000, ${known})`));
  expect(await read('NULL')).toEqual({ scans: 0, rows: 3 });
  expect(await read('(SELECT pins_version FROM engine_mode)')).toEqual({ scans: 0, rows: 0 });
});
