import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Submitter } from '../../src/domain/submitter';
import {
  baselineOf,
  batchOf,
  hashOf,
  newSubmitter,
  openStore,
  QUARANTINE,
  rowOf,
  type StoreFixture,
} from '../support/store-fixture';

const ROLES = resolve(__dirname, '../../../../docker/postgres/roles.sql');

let fixture: StoreFixture;
beforeAll(async () => {
  fixture = await openStore();
});
afterAll(() => fixture.close());

/** A submitter with one granted nonce 0; returns its key and the owner token. */
async function granted(): Promise<{ submitter: Submitter; id: string }> {
  const submitter = newSubmitter();
  await fixture.store.open(baselineOf(submitter));
  const row = rowOf(submitter);
  await fixture.store.allocate(batchOf([row]));
  return { submitter, id: row.ids[0] ?? '' };
}

async function withIntent(): Promise<{ submitter: Submitter; id: string }> {
  const { submitter, id } = await granted();
  await fixture.store.command(
    [
      {
        command: 'intent',
        id,
        submitter,
        nonce: null,
        txHash: hashOf(1),
        rawTx: null,
        note: null,
        ttlMs: 60_000,
        followable: true,
      },
    ],
    QUARANTINE,
  );
  return { submitter, id };
}

const run = (sql: string, values: unknown[] = []) => fixture.database.pool.query(sql, values);

describe('S9: the state row refuses to', () => {
  const STATE = 'UPDATE submitter_nonce_state SET';
  it.each([
    ['lower an epoch', `${STATE} epoch = epoch - 1`],
    ['lower a chain generation', `${STATE} chain_generation = chain_generation - 1`],
    ['lower a ceiling', `${STATE} ceiling = ceiling - 1, next_local_nonce = 8`],
    ['lower a base', `${STATE} base = base - 1`],
    ['lower the counter within an epoch', `${STATE} next_local_nonce = next_local_nonce - 1`],
    ['lower the finalized floor', `${STATE} chain_finalized_count = chain_finalized_count - 1`],
    ['forget the finalized floor', `${STATE} chain_finalized_count = NULL`],
    [
      'be renamed',
      `${STATE} submitter = replace(submitter, '0x', '0x')`.replace("'0x')", "'0xf')"),
    ],
    ['be deleted', 'DELETE FROM submitter_nonce_state'],
  ])('%s', async (_, sql) => {
    const submitter = newSubmitter();
    await fixture.store.open(baselineOf(submitter));
    await run(
      `UPDATE submitter_nonce_state SET epoch = 3, chain_generation = 2, base = 5, ceiling = 10,
         next_local_nonce = 9, chain_latest_count = 8, chain_finalized_count = 7
       WHERE submitter = $1`,
      [submitter],
    );
    await expect(run(`${sql} WHERE submitter = $1`, [submitter])).rejects.toThrow(
      /is refused|violates check constraint/,
    );
  });
});

describe('an allocation row refuses to', () => {
  const ROW = 'UPDATE submitter_nonce_allocation SET';

  it('move a stage against the table', async () => {
    const { id } = await granted();
    const sql = `${ROW} stage = 'FINAL', deadline = NULL WHERE id = $1`;
    await expect(run(sql, [id])).rejects.toThrow(/this stage may not follow that one/);
  });

  it('S3: become reusable after an intent, by whatever path', async () => {
    const { id } = await withIntent();
    await expect(run(`${ROW} stage = 'REUSABLE' WHERE id = $1`, [id])).rejects.toThrow(
      /is refused/,
    );
    await run(`${ROW} stage = 'QUARANTINED' WHERE id = $1`, [id]);
    await expect(run(`${ROW} stage = 'REUSABLE' WHERE id = $1`, [id])).rejects.toThrow(
      /allocation_exposed_is_never_reusable/,
    );
  });

  it('S3: be granted clean while it may be out', async () => {
    const { id } = await withIntent();
    await run(`${ROW} stage = 'QUARANTINED' WHERE id = $1`, [id]);
    const grant = `${ROW} stage = 'GRANTED', id = gen_random_uuid(), generation = generation + 1,
      deadline = now()`;
    await expect(run(`${grant}, source = 'recycled' WHERE id = $1`, [id])).rejects.toThrow(
      /is refused/,
    );
    await run(`${grant}, source = 'replacement' WHERE id = $1`, [id]);
  });

  it('forget a hash, or its bytes’ hash among others', async () => {
    const { id } = await withIntent();
    for (const hashes of ['NULL', `'{}'`, `ARRAY['${hashOf(2)}']`]) {
      const sql = `${ROW} hashes = ${hashes}, stage = 'QUARANTINED' WHERE id = $1`;
      await expect(run(sql, [id])).rejects.toThrow(/is refused/);
    }
  });

  it('change its owner without a new grant', async () => {
    const { id } = await granted();
    await expect(run(`${ROW} id = gen_random_uuid() WHERE id = $1`, [id])).rejects.toThrow(
      /is refused/,
    );
  });

  it('change its nonce, or be deleted', async () => {
    const { id } = await granted();
    await expect(run(`${ROW} nonce = nonce + 1 WHERE id = $1`, [id])).rejects.toThrow(/is refused/);
    const sql = 'DELETE FROM submitter_nonce_allocation WHERE id = $1';
    await expect(run(sql, [id])).rejects.toThrow(/never deleted/);
  });

  it('exist twice for one nonce', async () => {
    const { submitter } = await granted();
    await expect(
      run(
        `INSERT INTO submitter_nonce_allocation (submitter, chain_generation, nonce, id, stage,
           source, exposure, engine, epoch, created_at, updated_at)
         VALUES ($1, 1, 0, gen_random_uuid(), 'REUSABLE', 'fresh', 'declared', 'reliable', 1,
           now(), now())`,
        [submitter],
      ),
    ).rejects.toThrow(/duplicate key/);
  });
});

it('the audit can be added to and nothing else', async () => {
  await run(`INSERT INTO audit (actor, action, subject, reason) VALUES ('a', 'b', 'c', 'd')`);
  await expect(run(`UPDATE audit SET reason = 'x'`)).rejects.toThrow(/append-only/);
  await expect(run('DELETE FROM audit')).rejects.toThrow(/append-only/);
});

describe('the application role of the shipped SQL', () => {
  beforeAll(async () => {
    await run(await readFile(ROLES, 'utf8'));
  });

  async function asApplication(sql: string, values: unknown[] = []): Promise<unknown> {
    const client = await fixture.database.pool.connect();
    try {
      await client.query('SET ROLE noncekit_app');
      return await client.query(sql, values);
    } finally {
      await client.query('RESET ROLE');
      client.release();
    }
  }

  it.each([
    'DELETE FROM noncekit.submitter_nonce_allocation',
    'TRUNCATE noncekit.submitter_nonce_allocation',
    'DELETE FROM noncekit.operation',
    'TRUNCATE noncekit.submitter_nonce_state CASCADE',
    'DELETE FROM noncekit.engine_mode',
    'TRUNCATE noncekit.mode_switch',
    'ALTER TABLE noncekit.submitter_nonce_state DISABLE TRIGGER ALL',
    'DROP FUNCTION noncekit.refuse() CASCADE',
    'CREATE TABLE noncekit.mine (id integer)',
    'SET session_replication_role = replica',
  ])('may not: %s', async (sql) => {
    await expect(asApplication(sql)).rejects.toThrow(/permission denied|must be owner/);
  });

  it('is held by the same guards as everybody', async () => {
    const { submitter } = await granted();
    const sql = 'UPDATE noncekit.submitter_nonce_state SET epoch = 0 WHERE submitter = $1';
    await expect(asApplication(sql, [submitter])).rejects.toThrow(/is refused|violates check/);
  });

  it('may do what the program needs', async () => {
    const { submitter } = await granted();
    await asApplication('SELECT noncekit.reclaim_expired(10, 1000, $1)', ['hold']);
    await asApplication(`SELECT * FROM noncekit.align_submitter($1, 1, 0, '0x1', 10)`, [submitter]);
    await asApplication(
      `SELECT noncekit.open_submitter($1, 'reliable', 0, 0, NULL, NULL, NULL, 1000, 'hold')`,
      [newSubmitter()],
    );
    await asApplication('SELECT noncekit.record_server(noncekit.server_started_at(), $1, $2)', [
      'witnessed',
      'test',
    ]);
    await asApplication('SELECT noncekit.server_timeline(), noncekit.server_start_lsn()');
    await asApplication('SELECT noncekit.mode_snapshot(10, NULL), noncekit.count_fast_grants(10)');
    await asApplication(
      `SELECT noncekit.switch_mode(1, 'RELIABLE', 'a', 'b', false, false, NULL, 0, 'c', '[]')`,
    );
    await asApplication(`SELECT noncekit.pin_submitter($1, 'RELIABLE', 'a', 10)`, [submitter]);
    await asApplication('SELECT noncekit.take_over_submitter($1, 1, 0, 2, 1000, $2)', [
      submitter,
      'hold',
    ]);
    await asApplication('SELECT pg_current_wal_flush_lsn(), pg_control_system()');
    await asApplication(
      `INSERT INTO noncekit.audit (actor, action, subject, reason) VALUES ('a', 'b', 'c', 'd')`,
    );
  });
});
