import { chmodSync, existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import {
  AnvilServer,
  childrenOf,
  findFreePort,
  isAlive,
  pollUntil,
  PostgresServer,
  RedisServer,
  startStack,
} from '../src/stack/index';
import { StackDirectory } from '../src/stack/stack-directory';
import { StackError } from '../src/stack/stack-error';
import { withFreePort } from '../src/stack/with-free-port';
import { NodeProcess } from '../../libs/nonce-core/test/support/node-process';

const NOTHING_GIVEN = {};

async function query(url: string, text: string): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

function connectRedis(url: string): Promise<Redis> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  client.on('error', () => undefined);
  return client.connect().then(() => client);
}

describe('a Postgres of our own', () => {
  let server: PostgresServer;

  beforeAll(async () => {
    server = await PostgresServer.start();
  });
  afterAll(() => server.stop());

  it('is durable and takes hundreds of connections', async () => {
    const [row] = await query(
      server.url(),
      `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit,
              current_setting('max_connections')::int AS connections`,
    );
    expect(row).toEqual({ fsync: 'on', commit: 'on', connections: 300 });
  });

  it('keeps committed rows and its address over kill -9 and restart', async () => {
    await query(server.url(), 'CREATE TABLE kept AS SELECT 7 AS nonce');
    const before = { url: server.url(), pid: server.pid };
    const children = await childrenOf(server.pid);

    await server.kill();
    expect([before.pid, ...children].filter(isAlive)).toEqual([]);

    await server.restart();
    expect(server.url()).toBe(before.url);
    expect(server.pid).not.toBe(before.pid);
    expect(await query(server.url(), 'SELECT nonce FROM kept')).toEqual([{ nonce: 7 }]);
  });

  it('answers nothing while it is paused, and the same question once it is resumed', async () => {
    const client = new Client({ connectionString: server.url() });
    await client.connect();
    await server.pause();
    let answered = false;
    const answer = client.query('SELECT 1 AS one').then((result) => {
      answered = true;
      return result.rows as unknown;
    });
    await new Promise((proceed) => setTimeout(proceed, 100));
    expect(answered).toBe(false);
    await server.resume();
    expect(await answer).toEqual([{ one: 1 }]);
    await client.end();
  });

  it('ends with its children, also while it is paused and clients are connected', async () => {
    const other = await PostgresServer.start();
    const client = new Client({ connectionString: other.url() });
    client.on('error', () => undefined);
    await client.connect();
    const family = [other.pid, ...(await childrenOf(other.pid))];
    await other.pause();
    await other.stop();
    expect(family.filter(isAlive)).toEqual([]);
    await client.end().catch(() => undefined);
  });
});

describe('a Redis of our own', () => {
  it('keeps acknowledged writes over kill -9 and restart on the same port', async () => {
    const server = await RedisServer.start();
    const first = await connectRedis(server.url);
    await first.set('nonce', '7');
    await server.kill();
    first.disconnect();
    expect(server.running).toBe(false);

    await server.restart();
    const second = await connectRedis(server.url);
    expect(await second.get('nonce')).toBe('7');
    second.disconnect();
    await server.stop();
    expect(existsSync(server.dataDir)).toBe(false);
  });

  it('follows another one when its configuration says so', async () => {
    const primary = await RedisServer.start();
    const replica = await RedisServer.start({
      config: [`replicaof 127.0.0.1 ${String(primary.port)}`],
    });
    const reader = await connectRedis(replica.url);
    await pollUntil(async () => (await reader.info('replication')).includes('link_status:up'), {
      timeoutMs: 10_000,
      describe: 'the replica to be in step',
    });
    const writer = await connectRedis(primary.url);
    await writer.set('nonce', '7');
    await writer.wait(1, 5_000);
    expect(await reader.get('nonce')).toBe('7');
    reader.disconnect();
    writer.disconnect();
    // The replica first: a primary that ends gives lagging replicas seconds to catch up.
    await replica.stop();
    await primary.stop();
  });

  it('runs as a Sentinel too', async () => {
    const primary = await RedisServer.start();
    const sentinel = await RedisServer.start({
      sentinel: true,
      config: [`sentinel monitor main 127.0.0.1 ${String(primary.port)} 1`],
    });
    const client = await connectRedis(sentinel.url);
    const address = await client.call('SENTINEL', 'get-master-addr-by-name', 'main');
    expect(address).toEqual(['127.0.0.1', String(primary.port)]);
    client.disconnect();
    await Promise.all([primary.stop(), sentinel.stop()]);
  });

  it('shows the end of its log when its configuration is wrong', async () => {
    const start = RedisServer.start({ config: ['no-such-setting yes'] });
    await expect(start).rejects.toThrow(/no-such-setting/);
    await expect(start).rejects.toBeInstanceOf(StackError);
  });
});

describe('a chain of our own', () => {
  it('has the asked chain id, mines only when told and starts anew after a kill', async () => {
    const server = await AnvilServer.start({ chainId: 4_242, noMining: true });
    expect(await server.rpc('eth_chainId')).toBe('0x1092');
    expect(await server.rpc('eth_blockNumber')).toBe('0x0');
    await server.rpc('evm_mine');
    expect(await server.rpc('eth_blockNumber')).toBe('0x1');
    await server.kill();
    await server.restart();
    expect(await server.rpc('eth_blockNumber')).toBe('0x0');
    await server.stop();
    expect(isAlive(server.pid)).toBe(false);
  });
});

describe('ports', () => {
  it('leave a port alone that somebody listens on', async () => {
    const port = await findFreePort();
    const stranger = createServer().listen(port, '127.0.0.1');
    let attempts = 0;
    const server = await withFreePort(async (free) => {
      attempts += 1;
      if (attempts > 1) return AnvilServer.start();
      expect(free).not.toBe(port);
      // What a server's log says when it came second.
      throw new StackError(`Address already in use (${String(port)})`, { fix: 'try another' });
    });
    expect(attempts).toBe(2);
    expect(server.port).not.toBe(port);
    await server.stop();
    stranger.close();
  });

  it('are passed over only when they are taken: other failures are told at once', async () => {
    let attempts = 0;
    const start = withFreePort(() => {
      attempts += 1;
      return Promise.reject(new StackError('disk full', { fix: 'make room' }));
    });
    await expect(start).rejects.toThrow('disk full');
    expect(attempts).toBe(1);
  });
});

describe('the stack', () => {
  it('starts what is needed, says what it does, and leaves nothing behind', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'noncekit-test-'));
    // Postgres runs under an account of its own when the tests run as root.
    chmodSync(dataDir, 0o755);
    const lines: string[] = [];
    const stack = await startStack({
      dataDir,
      environment: NOTHING_GIVEN,
      log: (line) => lines.push(line),
    });
    expect(stack.missing).toEqual([]);
    expect(lines).toContainEqual(expect.stringMatching(/^Postgres: ready on port \d+/));
    expect(stack.environment()).toEqual({
      NONCE_DATABASE_URL: stack.databaseUrl,
      NONCE_REDIS_URL: stack.redisUrl,
      NONCE_CHAINS: '31337',
      NONCE_DEFAULT_CHAIN_ID: '31337',
      NONCE_CHAIN_31337_RPC_URLS: stack.chain?.rpcUrl,
    });
    const { postgres, redis, anvil } = stack.servers;
    const pids = [postgres?.pid ?? 0, redis?.pid ?? 0, anvil?.pid ?? 0];
    expect(pids.every(isAlive)).toBe(true);
    await stack.stop();
    expect(pids.filter(isAlive)).toEqual([]);
    expect(readdirSync(dataDir).sort()).toEqual(['postgres', 'redis']);
    await rm(dataDir, { recursive: true });
  });

  it('uses what the environment gives and starts nothing in its place', async () => {
    const stack = await startStack({
      environment: {
        NONCE_DATABASE_URL: 'postgres://given/db',
        NONCE_REDIS_URL: 'redis://given',
        NONCE_CHAINS: '1, 5',
        NONCE_CHAIN_5_RPC_URLS: 'http://given,http://second',
      },
    });
    expect(stack.servers).toEqual({});
    expect(stack.databaseUrl).toBe('postgres://given/db');
    expect(stack.redisUrl).toBe('redis://given');
    expect(stack.chain).toMatchObject({ chainId: 5, rpcUrl: 'http://given' });
    await stack.stop();
  });

  it('refuses a folder in which another living process works', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'noncekit-test-'));
    const script = resolve(__dirname, 'stack/claim-directory.ts');
    const other = NodeProcess.start<string>(script, { parameters: [dataDir] });
    await other.message((message) => message === 'claimed');
    expect(() => StackDirectory.claim(dataDir)).toThrow(String(other.pid));
    await other.kill();
    StackDirectory.claim(dataDir).release();
    await rm(dataDir, { recursive: true });
  });

  it('does not outlive a kill -9 of the process that started it', async () => {
    const script = resolve(__dirname, 'stack/start-stack.ts');
    const parent = NodeProcess.start<readonly number[]>(script);
    const pids = await parent.message(Array.isArray, 'the pids of the servers');
    expect(pids).toHaveLength(3);
    expect(pids.every(isAlive)).toBe(true);
    await parent.kill();
    await pollUntil(() => !pids.some(isAlive), {
      timeoutMs: 15_000,
      describe: 'the servers to end after their parent',
    });
  });
});
