import { Redis } from 'ioredis';
import { RedisServer, truncateAppendOnlyTail } from '../../../../tools/src/stack/index';
import { INTENT_POLICIES } from '../../src/ports/fast-epoch-store.port';
import { TopologyWorld, toServer } from './topology-world';

const SUBMITTERS = 4;
const GRANTS = 20;

/** The last word of every key that a submitter or a shard has. */
const KEYS = ['mode', 'events', 'state', 'free', 'held', 'snap', 'ops', 'ids0', 'ids1'] as const;

let server: RedisServer;
let world: TopologyWorld;

const served = (count: number) => Promise.all(world.nodes.map((node) => node.served(count)));

async function onRedis<T>(use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(server.url);
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}

describe.each(INTENT_POLICIES)('a Redis that forgets, %s intents', (intents) => {
  beforeEach(async () => {
    server = await RedisServer.start();
    world = await TopologyWorld.open({ intents, submitters: SUBMITTERS, shards: 2 });
    world.memoryLost = true;
    for (let node = 0; node < 2; node += 1) (await world.addNode(toServer(server))).run();
    await world.flushFrom(toServer(server));
    await served(GRANTS);
  });
  afterEach(async () => {
    await world.close();
    await server.stop();
  });

  async function expectKept(): Promise<void> {
    await served(GRANTS);
    expect(world.otherRefusals).toEqual([]);
    expect(await world.violations(toServer(server))).toEqual([]);
  }

  it('S8: everything, again and again under load (FLUSHALL)', async () => {
    for (let time = 0; time < 3; time += 1) {
      await onRedis((client) => client.flushall());
      await served(GRANTS);
    }
    await expectKept();
  });

  it('S8: each kind of key alone (DEL), one after the other under load', async () => {
    for (const ending of KEYS) {
      await onRedis(async (client) => {
        const keys = await client.keys(`*:${ending}`);
        if (keys.length > 0) await client.del(...keys);
      });
      await served(GRANTS);
    }
    await expectKept();
  });

  it('S8: the tail of its log, by a machine that lost its power', async () => {
    for (const bytes of [1, 5_000, 1_000_000]) {
      await server.kill();
      await truncateAppendOnlyTail(server, bytes);
      await server.restart();
      await served(GRANTS);
    }
    await expectKept();
  });
});
