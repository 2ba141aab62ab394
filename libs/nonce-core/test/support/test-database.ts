import { randomBytes } from 'node:crypto';
import { Client, Pool } from 'pg';
import { PostgresServer } from '../../../../tools/src/stack/index';
import { migrate } from '../../src/postgres/migrate';
import { sharedServers } from '../../../../tools/test/jest/shared-servers';

const TEST_SCHEMA = 'noncekit';

export interface TestDatabase {
  readonly name: string;
  /** Connection URL of the database's owner. */
  readonly url: string;
  readonly schema: string;
  /** A pool for the test's own statements; `search_path` is the schema. */
  readonly pool: Pool;
  /** Ends the pool and drops the database, together with connections that were left open. */
  close(): Promise<void>;
}

export interface TestPostgres {
  readonly server: PostgresServer;
  /** URL of a migrated database on that server. */
  readonly url: string;
  readonly schema: string;
}

/** A fresh, migrated database of its own on the server that all test files share. */
export async function openTestDatabase(): Promise<TestDatabase> {
  return createDatabase(sharedServers().templateName);
}

/** The same without any migration applied. */
export async function openEmptyDatabase(): Promise<TestDatabase> {
  return createDatabase('template0');
}

/**
 * A Postgres of the caller's own with a migrated database, to be killed, paused and restarted.
 * The caller ends it with `server.stop()`. Takes about a second.
 */
export async function startTestPostgres(): Promise<TestPostgres> {
  const server = await PostgresServer.start();
  try {
    const url = server.url();
    await migrate({ url, schema: TEST_SCHEMA });
    return { server, url, schema: TEST_SCHEMA };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function createDatabase(template: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await asAdmin(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  const url = new URL(sharedServers().adminUrl);
  url.pathname = `/${name}`;
  const pool = new Pool({
    connectionString: url.href,
    max: 5,
    options: `-c search_path=${TEST_SCHEMA},public`,
  });
  // A connection that breaks while idle is replaced by the pool; the test notices at its next query.
  pool.on('error', () => undefined);
  return {
    name,
    url: url.href,
    schema: TEST_SCHEMA,
    pool,
    async close() {
      await pool.end();
      await asAdmin(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

async function asAdmin(statement: string): Promise<void> {
  const client = new Client({ connectionString: sharedServers().adminUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
