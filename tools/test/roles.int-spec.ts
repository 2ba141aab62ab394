import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { migrate } from '@noncekit/nonce-core';
import { PostgresServer } from '@noncekit/tools';
import { Client } from 'pg';
import { createDataSource } from '../../libs/nonce-core/src/postgres/data-source';
import { PostgresAllocationStore } from '../../libs/nonce-core/src/postgres/postgres-allocation-store';
import { StatementRunner } from '../../libs/nonce-core/src/postgres/statement-runner';
import {
  baselineOf,
  batchOf,
  newSubmitter,
  rowOf,
} from '../../libs/nonce-core/test/support/store-fixture';
import { WORKSPACE_ROOT } from '../src/workspace/workspace-root';

const ROLES = readFileSync(join(WORKSPACE_ROOT, 'docker/postgres/roles.sql'), 'utf8');
const PASSWORD = 'only-for-this-test';
const SCHEMA = 'noncekit';
const INSUFFICIENT_PRIVILEGE = '42501';

// A server of its own: roles belong to the whole server, and other tests share theirs.
describe('the shipped roles', () => {
  let server: PostgresServer;
  let app: Client;

  const urlOf = (role: string) => {
    const url = new URL(server.url());
    url.username = role;
    url.password = PASSWORD;
    return url.href;
  };

  async function asAdmin(sql: string): Promise<void> {
    const client = new Client({ connectionString: server.url() });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  }

  beforeAll(async () => {
    server = await PostgresServer.start();
    await asAdmin(ROLES);
    for (const role of ['noncekit_migrator', 'noncekit_app']) {
      await asAdmin(`ALTER ROLE ${role} PASSWORD '${PASSWORD}'`);
    }
    await migrate({ url: urlOf('noncekit_migrator'), schema: SCHEMA });
    app = new Client({
      connectionString: urlOf('noncekit_app'),
      options: `-c search_path=${SCHEMA}`,
    });
    await app.connect();
  }, 60_000);

  afterAll(async () => {
    await app.end();
    await server.stop();
  });

  it('let the application allocate and settle', async () => {
    const source = createDataSource({ url: urlOf('noncekit_app'), schema: SCHEMA });
    await source.initialize();
    try {
      const store = new PostgresAllocationStore(new StatementRunner(source, SCHEMA));
      const submitter = newSubmitter();
      await store.open(baselineOf(submitter));
      const [answer] = await store.allocate(batchOf([rowOf(submitter)]));
      expect(answer).toMatchObject({ kind: 'granted', allocations: [{ nonce: 0 }] });
    } finally {
      await source.destroy();
    }
  });

  it.each([
    'DELETE FROM submitter_nonce_allocation',
    'DELETE FROM submitter_nonce_state',
    'TRUNCATE submitter_nonce_allocation',
    'DROP TABLE submitter_nonce_allocation',
    'ALTER TABLE submitter_nonce_state DISABLE TRIGGER ALL',
    'CREATE TABLE mine (n integer)',
    'CREATE TABLE public.mine (n integer)',
    'CREATE SCHEMA mine',
    "SET session_replication_role = 'replica'",
    'SET ROLE noncekit_migrator',
  ])('refuse the application: %s', async (statement) => {
    await expect(app.query(statement)).rejects.toMatchObject({ code: INSUFFICIENT_PRIVILEGE });
  });

  it('limit the time of every statement and lock of the application', async () => {
    const { rows } = await app.query(
      "SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock",
    );
    expect(rows).toEqual([{ statement: '2s', lock: '1s' }]);
  });

  it('can be applied again and then change nothing', async () => {
    await asAdmin(ROLES);
    await expect(app.query('SELECT count(*) FROM submitter_nonce_state')).resolves.toBeDefined();
    await expect(app.query('DELETE FROM submitter_nonce_state')).rejects.toMatchObject({
      code: INSUFFICIENT_PRIVILEGE,
    });
  });
});
