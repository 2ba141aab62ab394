import { checkDatabase } from '../../src/postgres/boot-checks';
import { createDataSource } from '../../src/postgres/data-source';
import { FUNCTIONS } from '../../src/postgres/generated/functions';
import { migrate } from '../../src/postgres/migrate';
import { StatementRunner } from '../../src/postgres/statement-runner';
import { openEmptyDatabase, openTestDatabase, type TestDatabase } from '../support/test-database';

const OWN = `functions, version ${String(FUNCTIONS.version)}`;
const BROKEN = `CREATE OR REPLACE FUNCTION release_flush_shards(p_worker text) RETURNS void
  LANGUAGE plpgsql AS $$ BEGIN RAISE 'broken'; END $$`;
const DIGEST_OF_OTHERS = `repeat('0', 64)`;

/** Signatures that no program calls any more. */
const FORMER = [
  `change_epoch(text, bigint, engine_name, text, integer, text, text)`,
  `command_batch(text[], uuid[], text[], bigint[], text[], bytea[], text[], integer[], boolean[],
    integer, text)`,
];

describe('the functions of a schema', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await openTestDatabase();
  });
  afterEach(() => database.close());

  const run = (lines?: string[]) =>
    migrate({ ...database, ...(lines && { log: (line: string) => lines.push(line) }) });
  const count = async (sql: string) =>
    (await database.pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${sql}`)).rows[0]?.n;
  const isBroken = async () =>
    (await count(`pg_proc WHERE proname = 'release_flush_shards' AND prosrc LIKE '%broken%'`)) ===
    1;

  it('are left alone while they are those of the program', async () => {
    await database.pool.query(BROKEN);
    expect(await run()).toEqual({ applied: [] });
    expect(await isBroken()).toBe(true);
  });

  it.each([
    ['other ones under the same number', `SET digest = ${DIGEST_OF_OTHERS}`],
    ['older ones', `SET version = version - 1, digest = ${DIGEST_OF_OTHERS}`],
  ])('are restored over %s', async (_, change) => {
    await database.pool.query(BROKEN);
    await database.pool.query(`UPDATE schema_functions ${change}`);
    expect(await run()).toEqual({ applied: [OWN] });
    expect(await isBroken()).toBe(false);
    expect(await run()).toEqual({ applied: [] });
  });

  it('are not taken back by a program older than the one that applied them', async () => {
    await database.pool.query(BROKEN);
    await database.pool.query(
      `INSERT INTO schema_functions SELECT max(version) + 1, ${DIGEST_OF_OTHERS} FROM schema_functions`,
    );
    const lines: string[] = [];
    expect(await run(lines)).toEqual({ applied: [] });
    expect(lines).toEqual([`left ${OWN}: the schema has newer ones`]);
    expect(await isBroken()).toBe(true);
  });

  it('are applied whole or not at all', async () => {
    await database.pool.query(BROKEN);
    await database.pool.query('TRUNCATE schema_functions');
    // The last script meets a function of its name whose result it may not change.
    await database.pool.query(`DROP FUNCTION quarantine_missing;
      CREATE FUNCTION quarantine_missing(text, bigint, bigint, integer, text) RETURNS integer
        LANGUAGE sql AS 'SELECT 1'`);
    await expect(run()).rejects.toThrow('cannot change');
    expect(await isBroken()).toBe(true);
    expect(await count('schema_functions')).toBe(0);
    await database.pool.query('DROP FUNCTION quarantine_missing');
    expect(await run()).toEqual({ applied: [OWN] });
  });

  it('replace those of former signatures, which a call could mean as well', async () => {
    for (const signature of FORMER) {
      await database.pool.query(
        `CREATE FUNCTION ${signature} RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'`,
      );
    }
    await database.pool.query('TRUNCATE schema_functions');
    await run();
    const names = FORMER.map((signature) => `'${signature.replace(/\(.*/s, '')}'`).join();
    expect(await count(`pg_proc WHERE proname IN (${names})`)).toBe(FORMER.length);
  });
});

it('nodes that migrate an empty database at once all succeed, and one of them does the work', async () => {
  const database = await openEmptyDatabase();
  try {
    const results = await Promise.all([1, 2, 3].map(() => migrate(database)));
    const working = results.filter(({ applied }) => applied.length > 0);
    expect(working).toHaveLength(1);
    expect(working[0]?.applied.at(-1)).toBe(OWN);
  } finally {
    await database.close();
  }
});

describe('a node that starts', () => {
  let database: TestDatabase;
  let source: ReturnType<typeof createDataSource>;
  beforeAll(async () => {
    database = await openTestDatabase();
    source = createDataSource({ ...database, poolSize: 2 });
    await source.initialize();
  });
  afterAll(async () => {
    await source.destroy();
    await database.close();
  });

  const check = () => {
    const { schema } = database;
    return checkDatabase(source, new StatementRunner(source, schema), {
      schema,
      allowUnsafe: true,
    });
  };

  it.each([
    ['older functions than its own', 'UPDATE schema_functions SET version = version - 1'],
    ['functions that were never applied', 'TRUNCATE schema_functions'],
  ])('refuses %s, and names what is missing', async (_, change) => {
    await database.pool.query(change);
    await expect(check()).rejects.toMatchObject({
      code: 'NONCE_SCHEMA_BEHIND',
      context: { missing: [OWN] },
    });
    await migrate(database);
    await check();
  });

  it('takes newer functions: while versions are rolled out, old nodes restart too', async () => {
    await database.pool.query(
      `UPDATE schema_functions SET version = version + 1, digest = ${DIGEST_OF_OTHERS}`,
    );
    await check();
  });
});
