import { startTestChain } from '@noncekit/test-support/test-chain';
import {
  openTestDatabase,
  startTestPostgres,
  type TestDatabase,
} from '@noncekit/test-support/test-database';
import { openTestRedis } from '@noncekit/test-support/test-redis';
import { waitFor } from '@noncekit/test-support/wait-for';
import { Client } from 'pg';

const COUNT_TABLES = `SELECT count(*)::int AS tables FROM pg_tables WHERE schemaname = 'noncekit'`;

async function countTables(queryable: Pick<Client, 'query'>): Promise<number> {
  const { rows } = await queryable.query<{ tables: number }>(COUNT_TABLES);
  return rows[0]?.tables ?? 0;
}

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

describe('the ground the tests stand on', () => {
  const opened: TestDatabase[] = [];
  afterAll(() => Promise.all(opened.map((database) => database.close())));

  it('gives every caller a migrated database of its own', async () => {
    const [one, other] = await Promise.all([openTestDatabase(), openTestDatabase()]);
    opened.push(one, other);
    await one.pool.query('CREATE TABLE only_here ()');
    const client = await connect(other.url);
    expect(await countTables(client)).toBeGreaterThan(2);
    const { rows } = await other.pool.query<{ found: unknown }>(
      `SELECT to_regclass('only_here') AS found`,
    );
    expect(rows).toEqual([{ found: null }]);
    await client.end();
  });

  it('gives a Postgres that may be killed and comes back with its schema', async () => {
    const { server, url } = await startTestPostgres();
    const before = await connect(url);
    const tables = await countTables(before);
    await server.kill();
    await expect(countTables(before)).rejects.toThrow();
    await before.end().catch(() => undefined);
    await server.restart();
    const after = await connect(url);
    expect(await countTables(after)).toBe(tables);
    await after.end();
    await server.stop();
  });

  it('keeps the Redis keys of two files apart and removes only those of one', async () => {
    const [one, other] = await Promise.all([openTestRedis(), openTestRedis()]);
    await one.client.set(`${one.prefix}:nonce`, '1');
    await other.client.set(`${other.prefix}:nonce`, '2');
    await one.close();
    expect(await other.client.exists(`${one.prefix}:nonce`)).toBe(0);
    expect(await other.client.get(`${other.prefix}:nonce`)).toBe('2');
    await other.close();
  });

  it('gives a chain with funded accounts that mines on request', async () => {
    const chain = await startTestChain({ noMining: true });
    const { address } = chain.account(0);
    const balance = await chain.server.rpc('eth_getBalance', [address, 'latest']);
    expect(BigInt(balance as string)).toBeGreaterThan(0n);
    await chain.mine(3);
    expect(await chain.server.rpc('eth_blockNumber')).toBe('0x3');
    await chain.close();
  });

  it('names the condition that did not come true', async () => {
    const wait = waitFor(() => false, { timeoutMs: 50, describe: 'the impossible' });
    await expect(wait).rejects.toThrow('waited 50 ms in vain for the impossible');
  });
});
