import { Cluster, Redis } from 'ioredis';
import { RedisCluster } from '../../../../tools/src/stack/index';
import { INTENT_POLICIES } from '../../src/ports/fast-epoch-store.port';
import { waitFor } from '../support/wait-for';
import { TopologyWorld, type Connect } from './topology-world';

const PRIMARIES = 3;
/** Enough that every node of the cluster serves some of them. */
const SUBMITTERS = 12;

let cluster: RedisCluster;
let world: TopologyWorld;

const connect: Connect = () =>
  new Cluster([...cluster.startupNodes], { clusterRetryStrategy: () => 50 });

beforeAll(async () => {
  cluster = await RedisCluster.start({ primaries: PRIMARIES });
});
afterAll(() => cluster.stop());
afterEach(async () => {
  await world.close();
  await Promise.all(cluster.nodes.map((node) => onNode(node.url, (client) => client.flushall())));
});

async function onNode<T>(url: string, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url);
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}

/** How often this server has told a client to go elsewhere, or to come again. */
async function redirections(server: Redis): Promise<number> {
  const text = await server.info('errorstats');
  const counts = [...text.matchAll(/errorstat_(?:ASK|TRYAGAIN):count=(\d+)/g)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

/** Which shards keep keys on each node. */
async function shardsByNode(): Promise<readonly ReadonlySet<string>[]> {
  const keys = await Promise.all(
    cluster.nodes.map((node) => onNode(node.url, (client) => client.keys('topology:*'))),
  );
  return keys.map((names) => new Set(names.map((name) => /\{(\d+)\}/.exec(name)?.[1] ?? name)));
}

const refusals = () => world.nodes.flatMap((node) => node.refusals);

describe.each(INTENT_POLICIES)('a Redis Cluster of three, %s intents', (intents) => {
  beforeEach(async () => {
    world = await TopologyWorld.open({ intents, submitters: SUBMITTERS });
    await world.flushFrom(connect);
    const nodes = [await world.addNode(connect), await world.addNode(connect)];
    for (const node of nodes) node.run();
    await Promise.all(nodes.map((node) => node.served(50)));
  });

  it('S1, S8, S12: serves submitters of all shards from two nodes, each shard whole on one server', async () => {
    await Promise.all(world.nodes.map((node) => node.served(100)));
    const placed = await shardsByNode();
    expect(placed.every((shards) => shards.size > 0)).toBe(true);
    const all = placed.flatMap((shards) => [...shards]);
    expect(new Set(all).size).toBe(all.length);
    expect(refusals()).toEqual([]);
    expect(await world.violations(connect)).toEqual([]);
  });

  it('S8, S9: serves on while a slot moves to another server, refuses nobody and repeats nothing', async () => {
    const moving = world.submitters.slice(0, 2);
    for (const submitter of moving) {
      const slot = await cluster.slotOf(world.keys.events(world.keys.shardOf(submitter)));
      const from = await cluster.ownerOf(slot);
      const to = (from + 1) % PRIMARIES;
      await onNode(cluster.nodes[from]?.url ?? '', async (source) => {
        const before = await redirections(source);
        await cluster.moveSlot(slot, to, () =>
          waitFor(async () => (await redirections(source)) > before, {
            describe: 'a script to meet the slot on its way',
            everyMs: 5,
          }),
        );
      });
      expect(await cluster.ownerOf(slot)).toBe(to);
    }
    await Promise.all(world.nodes.map((node) => node.served(100)));
    expect(refusals()).toEqual([]);
    expect(await world.violations(connect)).toEqual([]);
  });
});
