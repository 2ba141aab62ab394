import { checkDatabase, serverProblems } from '../../src/postgres/boot-checks';
import { createDataSource } from '../../src/postgres/data-source';
import { PostgresHealthProbe } from '../../src/postgres/postgres-health-probe';
import { StatementRunner } from '../../src/postgres/statement-runner';
import { openEmptyDatabase, openTestDatabase, type TestDatabase } from '../support/test-database';

const SAFE = {
  version: 150_000,
  version_text: '15.0',
  fsync: 'on',
  synchronous_commit: 'on',
  in_recovery: false,
};

async function withSource<T>(
  database: TestDatabase,
  use: (source: ReturnType<typeof createDataSource>, runner: StatementRunner) => Promise<T>,
): Promise<T> {
  const source = createDataSource({ url: database.url, schema: database.schema, poolSize: 2 });
  await source.initialize();
  try {
    return await use(source, new StatementRunner(source, database.schema));
  } finally {
    await source.destroy();
    await database.close();
  }
}

describe('boot refuses', () => {
  it.each([
    ['fsync', { fsync: 'off' }],
    ['synchronous_commit', { synchronous_commit: 'off' }],
    ['primary', { in_recovery: true }],
  ])(
    'I-35, S17: a server that can lose or lag commits (%s), unless told otherwise',
    (name, bad) => {
      const problems = serverProblems({ ...SAFE, ...bad }, false);
      expect(problems.map((problem) => problem.pointer)).toEqual([`/database/${name}`]);
      expect(problems[0]?.detail).toMatch(/; (set|connect)/);
      expect(serverProblems({ ...SAFE, ...bad }, true)).toEqual([]);
    },
  );

  it('a server that is too old, whatever it is told', () => {
    const old = { ...SAFE, version: 130_010, version_text: '13.10' };
    expect(serverProblems(old, true)[0]?.detail).toMatch(/14 or newer/);
  });

  it('all problems of a server at once, and none of a safe one', () => {
    const bad = { ...SAFE, fsync: 'off', synchronous_commit: 'off', in_recovery: true };
    expect(serverProblems(bad, false)).toHaveLength(3);
    expect(serverProblems(SAFE, false)).toEqual([]);
  });

  it('a database that was never migrated, or not far enough', async () => {
    const { schema } = { schema: 'noncekit' };
    const options = { schema, allowUnsafe: true };
    await withSource(await openEmptyDatabase(), async (source, runner) => {
      const check = checkDatabase(source, runner, options);
      await expect(check).rejects.toMatchObject({ code: 'NONCE_SCHEMA_BEHIND' });
    });
    const migrated = await openTestDatabase();
    await withSource(migrated, async (source, runner) => {
      await checkDatabase(source, runner, options);
      await migrated.pool.query('DELETE FROM schema_migration');
      const check = checkDatabase(source, runner, options);
      await expect(check).rejects.toMatchObject({ code: 'NONCE_SCHEMA_BEHIND' });
    });
  });
});

it('a health probe answers within the patience it is given, up or down', async () => {
  const database = await openTestDatabase();
  await withSource(database, async (source, runner) => {
    const probe = new PostgresHealthProbe(runner);
    expect(await probe.check(1_000)).toMatchObject({ store: 'postgres', up: true, detail: null });
    const client = await database.pool.connect();
    try {
      // Both connections of the pool are busy, so the probe has to wait for one.
      const busy = [source.query('SELECT pg_sleep(1)'), source.query('SELECT pg_sleep(1)')];
      const asked = Date.now();
      expect(await probe.check(100)).toMatchObject({ up: false, latencyMs: null });
      expect(Date.now() - asked).toBeLessThan(900);
      await Promise.all(busy);
    } finally {
      client.release();
    }
  });
});
