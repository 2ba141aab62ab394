import { Cluster, Redis } from 'ioredis';
import {
  isAlive,
  pollUntil,
  RedisCluster,
  RedisReplicaPair,
  RedisSentinels,
  RedisServer,
  truncateAppendOnlyTail,
} from '../src/stack/index';
import { startTogether } from '../src/stack/start-together';

/** Runs commands on one server, past all redirections. */
async function ask<T>(server: RedisServer, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(server.url, { lazyConnect: true, retryStrategy: () => null });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}

/** The three parts of an incarnation: run id, replication id, role. */
async function incarnation(server: RedisServer): Promise<readonly (string | undefined)[]> {
  const text = await ask(server, (client) => client.info());
  return ['run_id', 'master_replid', 'role'].map(
    (field) => new RegExp(`^${field}:(\\w+)`, 'm').exec(text)?.[1],
  );
}

const get = (server: RedisServer, key: string) => ask(server, (client) => client.get(key));
const set = (server: RedisServer, key: string, value: string) =>
  ask(server, (client) => client.set(key, value));

describe('a Redis Cluster of our own', () => {
  let cluster: RedisCluster;
  let startedMs: number;

  beforeAll(async () => {
    const beforeMs = performance.now();
    cluster = await RedisCluster.start({ primaries: 3 });
    startedMs = performance.now() - beforeMs;
  });
  afterAll(() => cluster.stop());

  function connect(): Cluster {
    const client = new Cluster([...cluster.startupNodes], { lazyConnect: true });
    client.on('error', () => undefined);
    return client;
  }

  it('serves all slots within seconds, a third of them on each node', async () => {
    expect(startedMs).toBeLessThan(10_000);
    expect(await cluster.ownerOf(0)).toBe(0);
    expect(await cluster.ownerOf(8_000)).toBe(1);
    expect(await cluster.ownerOf(16_383)).toBe(2);
    const client = connect();
    await client.connect();
    const keys = Array.from({ length: 60 }, (_, i) => `n:{${String(i)}}:state`);
    await Promise.all(keys.map((key) => client.set(key, key)));
    expect(await Promise.all(keys.map((key) => client.get(key)))).toEqual(keys);
    const held = await Promise.all(cluster.nodes.map((node) => ask(node, (c) => c.dbsize())));
    expect(Math.min(...held)).toBeGreaterThan(0);
    client.disconnect();
  });

  it('moves a slot with its keys, and redirects by ASK and TRYAGAIN while it does', async () => {
    const slot = await cluster.slotOf('{moving}');
    const from = await cluster.ownerOf(slot);
    const to = (from + 1) % 3;
    const [source, target] = [cluster.nodes[from], cluster.nodes[to]] as [RedisServer, RedisServer];
    const keys = ['{moving}:1', '{moving}:2', '{moving}:3', '{moving}:4'];
    await Promise.all(keys.map((key) => set(source, key, 'kept')));

    const answers: string[] = [];
    await cluster.moveSlot(slot, to, async () => {
      for (const key of keys) {
        answers.push(await get(source, key).then(String, (error: unknown) => String(error)));
      }
      const both = ask(source, (client) => client.mget(...keys));
      await expect(both).rejects.toThrow(/^(TRYAGAIN|ASK)/);
    });
    const asked = expect.stringMatching(/ASK \d+/) as string;
    expect(answers.sort()).toEqual([asked, asked, 'kept', 'kept']);
    expect(await cluster.ownerOf(slot)).toBe(to);
    await expect(get(source, keys[0] as string)).rejects.toThrow(/^MOVED/);
    expect(await ask(target, (client) => client.mget(...keys))).toEqual(keys.map(() => 'kept'));
    await cluster.untilServing();
  });

  it('is whole again after kill -9 and restart of a node', async () => {
    const slot = await cluster.slotOf('{kept}');
    const owner = cluster.nodes[await cluster.ownerOf(slot)] as RedisServer;
    await set(owner, '{kept}', 'still here');
    await owner.kill();
    await owner.restart();
    await cluster.untilServing();
    expect(await get(owner, '{kept}')).toBe('still here');
  });
});

describe('a Redis Cluster with replicas', () => {
  it('fails over to a replica that takes the slots of its primary', async () => {
    const cluster = await RedisCluster.start({ primaries: 3, replicas: 3 });
    const slot = await cluster.slotOf('{taken}');
    const owner = await cluster.ownerOf(slot);
    await cluster.failOver(owner);
    await pollUntil(async () => (await cluster.ownerOf(slot)) === owner + 3, {
      timeoutMs: 10_000,
      describe: 'the cluster to hear of the new owner',
    });
    await cluster.untilServing();
    await cluster.stop();
    expect(cluster.nodes.filter((node) => node.running)).toEqual([]);
  });

  it('is refused with another number of replicas, before anything starts', async () => {
    await expect(RedisCluster.start({ primaries: 3, replicas: 1 })).rejects.toThrow('one for each');
  });
});

describe('a primary and its replica', () => {
  let pair: RedisReplicaPair;

  beforeEach(async () => {
    pair = await RedisReplicaPair.start();
  });
  afterEach(() => pair.stop());

  it('promotes a lagging replica, which lacks the tail, while the old primary lives on', async () => {
    await set(pair.first, 'before', 'x');
    await pair.lagReplica();
    await set(pair.first, 'tail', 'x');
    await pair.promote();
    expect(await get(pair.second, 'before')).toBe('x');
    expect(await get(pair.second, 'tail')).toBeNull();
    await set(pair.first, 'split', 'old side');
    await set(pair.second, 'split', 'new side');
    expect(await get(pair.first, 'split')).toBe('old side');
    const [old, next] = [await incarnation(pair.first), await incarnation(pair.second)];
    expect([old[2], next[2]]).toEqual(['master', 'master']);
    expect(next[0]).not.toBe(old[0]);
    expect(next[1]).not.toBe(old[1]);
  });

  it('fails back: the old primary gives up its tail, keeps its run id and changes its replication id', async () => {
    const before = await incarnation(pair.first);
    await pair.lagReplica();
    await set(pair.first, 'tail', 'x');
    await pair.promote();
    await set(pair.second, 'kept', 'x');
    await pair.failBack();
    expect(await get(pair.first, 'kept')).toBe('x');
    expect(await get(pair.first, 'tail')).toBeNull();
    const after = await incarnation(pair.first);
    expect([after[0], after[2]]).toEqual([before[0], 'master']);
    expect(after[1]).not.toBe(before[1]);
    expect((await incarnation(pair.second))[2]).toBe('slave');
  });

  it('keeps its roles over kill -9 and restart', async () => {
    await pair.promote();
    await pair.rejoin();
    await Promise.all([pair.first.kill(), pair.second.kill()]);
    await Promise.all([pair.first.restart(), pair.second.restart()]);
    const roles = [await incarnation(pair.first), await incarnation(pair.second)];
    expect(roles.map(([, , role]) => role)).toEqual(['slave', 'master']);
  });

  it('a replica that attaches first changes the replication id of a primary that lost nothing', async () => {
    const lone = await RedisServer.start();
    const before = await incarnation(lone);
    const attached = await RedisReplicaPair.attach(lone);
    const after = await incarnation(lone);
    expect([after[0], after[2]]).toEqual([before[0], 'master']);
    expect(after[1]).not.toBe(before[1]);
    await attached.stop();
  });
});

describe('Sentinels', () => {
  it('name the replica once the primary is dead, and a client by Sentinel is served by it', async () => {
    const pair = await RedisReplicaPair.start();
    const sentinels = await RedisSentinels.start(pair.first);
    expect(await sentinels.primaryPort()).toBe(pair.first.port);
    const client = new Redis({
      sentinels: [...sentinels.addresses],
      name: sentinels.name,
      lazyConnect: true,
      retryStrategy: () => 50,
      sentinelRetryStrategy: () => 50,
    });
    client.on('error', () => undefined);
    await client.connect();

    await pair.first.kill();
    expect(await sentinels.untilPrimaryIsNot(pair.first.port)).toBe(pair.second.port);
    expect(await client.set('kept', 'x')).toBe('OK');
    expect(await get(pair.second, 'kept')).toBe('x');
    client.disconnect();
    await sentinels.stop();
    await pair.stop();
  });

  it('hand over from a living primary, which takes writes for a while as if nothing had happened', async () => {
    const pair = await RedisReplicaPair.start();
    const sentinels = await RedisSentinels.start(pair.first);
    expect(await sentinels.failOver()).toBe(pair.second.port);
    await set(pair.first, 'split', 'old side');
    expect(await get(pair.second, 'split')).toBeNull();
    await sentinels.stop();
    await pair.stop();
  });
});

describe('the tail of an append-only log', () => {
  it('can be cut off a server that has ended, which then starts without it', async () => {
    const server = await RedisServer.start();
    await set(server, 'old', 'x');
    await set(server, 'new', 'x'.repeat(1_000));
    await expect(truncateAppendOnlyTail(server, 1)).rejects.toThrow('still runs');
    await server.kill();
    expect(await truncateAppendOnlyTail(server, 500)).toBe(500);
    await server.restart();
    expect(await get(server, 'old')).toBe('x');
    expect(await get(server, 'new')).toBeNull();
    await server.kill();
    expect(await truncateAppendOnlyTail(server, 1_000_000)).toBeLessThan(1_000);
    await server.restart();
    expect(await get(server, 'old')).toBeNull();
    await server.stop();
  });
});

describe('servers that start together', () => {
  it('end together when one of them cannot start', async () => {
    const started: RedisServer[] = [];
    let call = 0;
    const start = startTogether(3, async () => {
      call += 1;
      const server = await RedisServer.start({ config: call === 2 ? ['no-such-setting'] : [] });
      started.push(server);
      return server;
    });
    await expect(start).rejects.toThrow(/no-such-setting/);
    expect(started).toHaveLength(2);
    expect(started.filter((server) => isAlive(server.pid))).toEqual([]);
  });
});
