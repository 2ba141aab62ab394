import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { DataSource } from 'typeorm';
import type { NonceComponent } from '../../src/module/nonce-component';
import { openTestRedis, redisPrefix, type TestRedis } from '../support/test-redis';
import { HostBench } from './host-bench';

const range = (length: number, from = 0) => Array.from({ length }, (_, index) => from + index);
const ascending = (nonces: readonly number[]) => [...nonces].sort((a, b) => a - b);
/** Windows are not what these incidents are about. */
const NO_WINDOW = 0;

let bench: HostBench;
const hosts: DataSource[] = [];
beforeAll(async () => {
  bench = await HostBench.open();
});
afterAll(async () => {
  await Promise.all(hosts.map((dataSource) => dataSource.destroy()));
  await bench.close();
});

function allocateOne(node: NonceComponent, submitter: string): Promise<number> {
  return node.allocate(submitter).then(([allocation]) => allocation!.nonce);
}

describe('I-23: two services whose lock keeps nobody out', () => {
  // N1: couldLock=yes; N2: couldLock=yes; alloc(N1)=5; alloc(N2)=5; send both
  let redis: TestRedis;
  const clients: Redis[] = [];

  beforeAll(async () => {
    redis = await openTestRedis();
  });
  afterAll(async () => {
    for (const client of clients) client.disconnect();
    await redis.close();
  });

  it('both hold "the" lock all the time and still share no nonce', async () => {
    // A lock of its own for each node: every node is always granted it.
    const nodeWithOwnLock = async () => {
      const client = new Redis(redis.url);
      clients.push(client);
      return bench.node({ redis: { client, keyPrefix: redisPrefix() } });
    };
    const nodes = [await nodeWithOwnLock(), await nodeWithOwnLock()];
    const payer = bench.payer();
    const payments = range(40).map(() => bench.payment());
    await Promise.all(
      payments.map((payment, index) =>
        nodes[index % 2]!.withNonce(payer.address, payer.pays(payment), payment),
      ),
    );
    await bench.mine();
    expect(await bench.minedNonces(payer)).toEqual(range(40));
    for (const payment of payments) expect(await bench.executions(payment)).toBe(1);
  });
});

describe('I-24: a lock that outlives its holder', () => {
  // alloc(h1) takes a session lock via the pooler; unlock is routed elsewhere; h1 done;
  // alloc(h2..h600)->timeout; tick(4h)
  it('there is none: nothing is held between statements, and 600 allocations follow a holder that never returns', async () => {
    const { submitter } = bench.payer();
    // As behind a transaction pooler: every statement may run on another backend.
    const { database } = bench.options();
    const pooled = { ...database, preparedStatements: false, sessionTimeouts: false };
    const overrides = { database: pooled, maxInFlight: NO_WINDOW };
    const [first, second] = [await bench.node(overrides), await bench.node(overrides)];
    expect(await allocateOne(first, submitter)).toBe(0); // h1, never heard of again
    const held = async () => {
      const { rows } = await bench.database.pool.query<{ advisory: number; idle: number }>(
        `SELECT (SELECT count(*)::int FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                 WHERE l.locktype = 'advisory' AND d.datname = current_database()) AS advisory,
                (SELECT count(*)::int FROM pg_stat_activity
                 WHERE datname = current_database() AND state LIKE 'idle in transaction%') AS idle`,
      );
      return rows[0];
    };
    const callers = range(600).map((index) =>
      allocateOne(index % 2 === 0 ? first : second, submitter),
    );
    const during = await held();
    expect(ascending(await Promise.all(callers))).toEqual(range(600, 1));
    expect([during, await held()]).toEqual([
      { advisory: 0, idle: 0 },
      { advisory: 0, idle: 0 },
    ]);
  });
});

describe('I-28: a nonce that is read first and counted up later', () => {
  // alloc(h1),alloc(h2) both GET=5
  it('3 nodes x 100 callers get 300 distinct, contiguous nonces', async () => {
    const { submitter } = bench.payer();
    const nodes = await Promise.all(range(3).map(() => bench.node({ maxInFlight: NO_WINDOW })));
    const callers = range(300).map((index) => allocateOne(nodes[index % 3]!, submitter));
    expect(ascending(await Promise.all(callers))).toEqual(range(300));
  });

  // C=314->315 in node A only; in-flight set empties; alloc(h1) reads node B (lag) =>1
  it('a provider that lags far behind does not pull the counter down, not even for a new process', async () => {
    const payer = bench.payer();
    const { server } = bench.chain;
    await server.rpc('anvil_setNonce', [payer.address, '0x13a']);
    const before = await bench.node();
    const paid = bench.payment();
    expect(await before.execute(payer.address, payer.pays(paid))).toMatchObject({ nonce: 314 });
    await bench.mine();
    await server.rpc('anvil_setNonce', [payer.address, '0x1']);
    const after = await bench.node();
    expect(await allocateOne(after, payer.address)).toBe(315);
    expect(await after.inspect(payer.address)).toMatchObject({ nextLocalNonce: 316 });
  });
});

describe('I-29: a caller that holds a connection while it waits for a nonce', () => {
  // pool=P; P+1 concurrent alloc inside the caller's tx; rpc.slow
  it('50 callers inside their own transactions, pools of 2 and a chain that never answers: all are served', async () => {
    const { database, chains } = bench.options();
    let answer!: () => void;
    const slow = new Promise<void>((resolve) => (answer = resolve));
    const chain = Object.values(chains ?? {})[0]!;
    if (!('client' in chain)) throw new Error('the bench brings its own client');
    const { reader, sender } = chain.client;
    let isSlow = false;
    const waiting = async <T>(result: () => Promise<T>): Promise<T> => {
      if (isSlow) await slow;
      return result();
    };
    const client = {
      reader: {
        ...reader,
        transactionCount: (...asked: Parameters<typeof reader.transactionCount>) =>
          waiting(() => reader.transactionCount(...asked)),
      },
      sender: { ...sender, send: (rawTx: `0x${string}`) => waiting(() => sender.send(rawTx)) },
    };
    const node = await bench.node({
      database: { ...database, poolSize: 2 },
      chains: { [bench.chain.chainId]: { ...chain, client } },
    });
    const payer = bench.payer();
    await allocateOne(node, payer.address);
    isSlow = true;
    const sending = node.withNonce(payer.address, payer.pays(bench.payment()));
    const stuckOnNewSubmitter = node.allocate(bench.payer().address);

    const hostPool = new Pool({ connectionString: bench.database.url, max: 2 });
    const startedMs = performance.now();
    const callers = range(50).map(async () => {
      const connection = await hostPool.connect();
      try {
        await connection.query('BEGIN');
        return await allocateOne(node, payer.address);
      } finally {
        await connection.query('COMMIT');
        connection.release();
      }
    });
    const nonces = await Promise.all(callers);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    expect(ascending(nonces)).toEqual(range(50, 2));
    answer();
    await Promise.all([sending, stuckOnNewSubmitter, hostPool.end()]);
  });

  it('callers that hold all connections of a shared pool are refused in time, and the pool is free again', async () => {
    const { url, schema } = bench.database;
    // As a host would write it: two connections, no limit for waiting for one.
    const dataSource = new DataSource({ type: 'postgres', url, schema, extra: { max: 2 } });
    await dataSource.initialize();
    const node = await bench.node({ database: { dataSource, schema } });
    const payer = bench.payer();
    await allocateOne(node, payer.address);
    const callers = range(2).map(() =>
      dataSource.transaction(async () => allocateOne(node, payer.address)),
    );
    const ends = await Promise.allSettled(callers);
    const served = ends.filter((end) => end.status === 'fulfilled');
    const refused = ends.filter((end) => end.status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    for (const { reason } of refused) {
      expect(reason).toMatchObject({ code: 'NONCE_STORE_UNAVAILABLE' });
    }
    expect(await allocateOne(node, payer.address)).toBe(1 + served.length);
    hosts.push(dataSource);
  });
});
