import { resolve } from 'node:path';
import { findFreePort } from '../src/stack/index';
import { NodeProcess } from '@noncekit/test-support/node-process';
import { openEmptyDatabase, type TestDatabase } from '@noncekit/test-support/test-database';

const COMMAND = resolve(__dirname, '../src/migrate/main.ts');

async function runMigrate(
  environment: Readonly<Record<string, string>>,
): Promise<{ readonly exitCode: number | null; readonly output: string }> {
  const none = { NONCE_DATABASE_URL: undefined, DATABASE_URL: undefined };
  const child = NodeProcess.start(COMMAND, { environment: { ...none, ...environment } });
  const { exitCode } = await child.ended;
  return { exitCode, output: child.output };
}

describe('npm run migrate', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await openEmptyDatabase();
  });
  afterAll(() => database.close());

  it('brings an empty database up to date, says what it applied, and then has nothing to do', async () => {
    const environment = { NONCE_DATABASE_URL: database.url, NONCE_DATABASE_SCHEMA: 'wallets' };
    const first = await runMigrate(environment);
    expect(first.output).toMatch(/^applied \w+[\s\S]+schema wallets: \d+ applied/);
    expect(first.exitCode).toBe(0);
    const second = await runMigrate(environment);
    expect(second).toEqual({ exitCode: 0, output: 'schema wallets: was up to date\n' });
    const { rows } = await database.pool.query(
      `SELECT count(*)::int AS tables FROM pg_tables WHERE schemaname = 'wallets'`,
    );
    expect((rows as readonly { tables: number }[])[0]?.tables).toBeGreaterThan(2);
  });

  it('says what to set when no database is named', async () => {
    const { exitCode, output } = await runMigrate({});
    expect(output).toContain('fix: set NONCE_DATABASE_URL=');
    expect(exitCode).toBe(1);
  });

  it('says what to do when nobody listens', async () => {
    const url = `postgres://somebody:word@127.0.0.1:${String(await findFreePort())}/wallets`;
    const { exitCode, output } = await runMigrate({ NONCE_DATABASE_URL: url });
    expect(output).toContain('ECONNREFUSED');
    expect(output).toContain('fix: start Postgres');
    expect(exitCode).toBe(1);
  });

  it('refuses a schema name that would need quoting', async () => {
    const { exitCode, output } = await runMigrate({
      NONCE_DATABASE_URL: database.url,
      NONCE_DATABASE_SCHEMA: 'a"b',
    });
    expect(output).toContain('fix: correct NONCE_DATABASE_SCHEMA');
    expect(exitCode).toBe(1);
  });
});
