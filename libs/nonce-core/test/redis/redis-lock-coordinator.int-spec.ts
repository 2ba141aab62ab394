import { Cluster, Redis } from 'ioredis';
import { RedisServer } from '../../../../tools/src/stack/index';
import type { Metrics } from '../../src/ports/metrics.port';
import { duplicateForLocks, type RedisClient } from '../../src/redis/redis-client';
import {
  RedisLockCoordinator,
  type RedisLockOptions,
} from '../../src/redis/redis-lock-coordinator';
import { SYSTEM_CLOCK } from '../contract/postgres-subject';
import { waitFor } from '../support/wait-for';

const KEY = 'eip155:1:0xabc';
const OTHER = 'eip155:10:0xdef';

describe('the Redis lock', () => {
  let server: RedisServer;
  let direct: Redis;
  const endings: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    server = await RedisServer.start();
    direct = new Redis(server.url);
    direct.on('error', () => undefined);
  });

  afterEach(async () => {
    for (const end of endings.splice(0).reverse()) await end();
    if (!server.running) await server.restart();
    await waitFor(() => direct.ping().catch(() => undefined), { describe: 'Redis to answer' });
    await direct.flushall();
  });

  afterAll(async () => {
    direct.disconnect();
    await server.stop();
  });

  async function node(options: Partial<RedisLockOptions> = {}, from: RedisClient = direct) {
    const client = duplicateForLocks(from);
    const skipped: Record<string, number> = {};
    const logged: string[] = [];
    const log = (message: string): void => void logged.push(message);
    const metrics = {
      count: (_: string, { reason = '' }: { reason?: string }) => {
        skipped[reason] = (skipped[reason] ?? 0) + 1;
      },
    } as unknown as Metrics;
    const logger = { debug: log, info: log, warn: log, error: log };
    const ports = { metrics, logger, clock: SYSTEM_CLOCK };
    const locks = new RedisLockCoordinator(client, ports, options);
    endings.push(async () => locks.stop().finally(() => client.disconnect()));
    await waitFor(() => client.status === 'ready', { describe: 'the lock client to connect' });
    return { locks, skipped, logged, client };
  }

  const keyOf = (name: string): string => `nonce:lock:{${name}}`;

  it('is a key with a random owner and a time to live, gone after the release', async () => {
    const { locks, skipped } = await node();
    const lock = await locks.acquire([KEY]);
    expect(await direct.get(keyOf(KEY))).toMatch(/^[0-9a-f-]{36}$/);
    const ttl = await direct.pttl(keyOf(KEY));
    expect(ttl).toBeGreaterThan(9_000);
    expect(ttl).toBeLessThanOrEqual(10_000);
    await lock.release();
    expect(await direct.exists(keyOf(KEY))).toBe(0);
    expect(skipped).toEqual({});
  });

  it('L5: of a node that died is waited for once, not by every batch', async () => {
    const waitMs = 500;
    const { locks, skipped } = await node({ waitMs });
    await direct.set(keyOf(KEY), 'the owner that died', 'PX', 60_000);
    await locks.acquire([KEY]);
    const startedAtMs = performance.now();
    for (let batch = 0; batch < 20; batch += 1) await locks.acquire([KEY]);
    expect(performance.now() - startedAtMs).toBeLessThan(20 * waitMs * 0.2);
    expect(skipped).toEqual({ 'wait-over': 21 });
    await direct.del(keyOf(KEY));
    const lock = await locks.acquire([KEY]);
    expect(await direct.get(keyOf(KEY))).toMatch(/^[0-9a-f-]{36}$/);
    await lock.release();
    expect(skipped).toEqual({ 'wait-over': 21 });
  });

  it('L5: of one owner is not waited for as long as one that changes hands', async () => {
    const { locks, skipped } = await node({ waitMs: 60_000 });
    await direct.set(keyOf(KEY), 'the owner that died', 'PX', 60_000);
    await locks.acquire([KEY]);
    expect(skipped).toEqual({ 'wait-over': 1 });
    await direct.del(keyOf(KEY));
  });

  it('makes another node wait until it is released', async () => {
    const [a, b] = [await node(), await node()];
    const first = await a.locks.acquire([KEY]);
    const owner = await direct.get(keyOf(KEY));
    let entered = false;
    const second = b.locks.acquire([KEY]).then((lock) => {
      entered = true;
      return lock;
    });
    await direct.ping();
    expect(entered).toBe(false);
    await first.release();
    await second;
    expect(await direct.get(keyOf(KEY))).not.toBe(owner);
    expect(b.skipped).toEqual({});
  });

  it('is never deleted by an owner that lost it', async () => {
    const { locks } = await node();
    const lost = await locks.acquire([KEY]);
    await direct.set(keyOf(KEY), 'somebody else');
    await lost.release();
    expect(await direct.get(keyOf(KEY))).toBe('somebody else');
  });

  it('takes the free ones of several keys at once and does not wait for the busy ones', async () => {
    const [a, b] = [await node(), await node({ waitMs: 60_000 })];
    await a.locks.acquire([OTHER]);
    const lock = await b.locks.acquire([KEY, OTHER]);
    expect(await direct.exists(keyOf(KEY), keyOf(OTHER))).toBe(2);
    expect(b.skipped).toEqual({ busy: 1 });
    await lock.release();
    expect(await direct.exists(keyOf(KEY))).toBe(0);
    expect(await direct.exists(keyOf(OTHER))).toBe(1);
  });

  it('goes on without a lock that stays busy, and counts it', async () => {
    await direct.set(keyOf(KEY), 'somebody else');
    const { locks, skipped } = await node({ waitMs: 30 });
    const lock = await locks.acquire([KEY]);
    expect(skipped).toEqual({ 'wait-over': 1 });
    await lock.release();
    expect(await direct.get(keyOf(KEY))).toBe('somebody else');
  });

  it('is extended while it is held', async () => {
    const { locks, skipped } = await node({ ttlMs: 300 });
    const lock = await locks.acquire([KEY]);
    const owner = await direct.get(keyOf(KEY));
    const until = Date.now() + 900;
    await waitFor(() => Date.now() > until, { describe: 'three times its time to live' });
    expect(await direct.get(keyOf(KEY))).toBe(owner);
    await lock.release();
    expect(skipped).toEqual({});
  });

  it('counts a lock that was lost while held, and does not take it back', async () => {
    const { locks, skipped } = await node({ ttlMs: 300 });
    await locks.acquire([KEY]);
    await direct.set(keyOf(KEY), 'somebody else');
    await waitFor(() => skipped['lost'] !== undefined, { describe: 'the loss to be counted' });
    expect(await direct.get(keyOf(KEY))).toBe('somebody else');
  });

  it('works again after the server forgot its scripts', async () => {
    const { locks } = await node();
    await (await locks.acquire([KEY])).release();
    await direct.script('FLUSH');
    await (await locks.acquire([KEY, OTHER])).release();
    expect(await direct.exists(keyOf(KEY), keyOf(OTHER))).toBe(0);
  });

  it('costs nothing while Redis is dead, says so once, and comes back by itself', async () => {
    const { locks, skipped, logged } = await node({ restMs: 50 });
    await server.kill();
    await waitFor(async () => (await locks.acquire([KEY]), skipped['redis-away'] !== undefined), {
      describe: 'the loss to be noticed',
    });
    const startedAt = performance.now();
    for (let i = 0; i < 200; i += 1) await locks.acquire([KEY, OTHER]);
    expect(performance.now() - startedAt).toBeLessThan(500);
    await server.restart();
    await waitFor(
      async () => {
        await (await locks.acquire([KEY])).release();
        return logged.length === 2;
      },
      { describe: 'the lock to be taken again' },
    );
    expect(logged[0]).toMatch(/does not answer/);
    expect(logged[1]).toMatch(/answers again/);
  });

  it('waits for a Redis that hangs once per rest, and leaves no lock behind', async () => {
    const { locks, skipped } = await node({ restMs: 60_000 });
    server.pause();
    const startedAt = performance.now();
    await Promise.all([locks.acquire([KEY]), locks.acquire([OTHER])]);
    for (let i = 0; i < 50; i += 1) await locks.acquire([KEY]);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(skipped).toEqual({ 'redis-away': 52 });
    server.resume();
    await waitFor(async () => (await direct.exists(keyOf(KEY), keyOf(OTHER))) === 0, {
      describe: 'the late locks to be undone',
    });
  });

  it('takes several keys in different slots of a Cluster', async () => {
    // A member that never met another does not know its own address; clients must be told one.
    const config = ['cluster-enabled yes', 'cluster-announce-ip 127.0.0.1'];
    const member = await RedisServer.start({ config });
    const admin = new Redis(member.url);
    await admin.cluster('ADDSLOTSRANGE', 0, 16_383);
    await waitFor(async () => (await admin.cluster('INFO')).includes('cluster_state:ok'), {
      describe: 'the cluster to serve all slots',
    });
    const cluster = new Cluster([{ host: '127.0.0.1', port: member.port }]);
    cluster.on('error', () => undefined);
    endings.unshift(async () => {
      cluster.disconnect();
      admin.disconnect();
      await member.stop();
    });
    const { locks, skipped } = await node({}, cluster);
    const lock = await locks.acquire([KEY, OTHER]);
    expect(await admin.keys('*')).toHaveLength(2);
    await lock.release();
    expect(await admin.keys('*')).toHaveLength(0);
    expect(skipped).toEqual({});
  });
});
