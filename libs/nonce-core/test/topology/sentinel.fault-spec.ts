import { Redis } from 'ioredis';
import { RedisReplicaPair, RedisSentinels } from '../../../../tools/src/stack/index';
import { INTENT_POLICIES } from '../../src/ports/fast-epoch-store.port';
import { TopologyWorld, type Connect } from './topology-world';

const SUBMITTERS = 4;

let pair: RedisReplicaPair;
let sentinels: RedisSentinels;
let world: TopologyWorld;

const connect: Connect = () =>
  new Redis({
    sentinels: [...sentinels.addresses],
    name: sentinels.name,
    retryStrategy: () => 50,
    sentinelRetryStrategy: () => 50,
  });

const served = (count: number) => Promise.all(world.nodes.map((node) => node.served(count)));

describe.each(INTENT_POLICIES)('a primary under Sentinels, %s intents', (intents) => {
  beforeEach(async () => {
    pair = await RedisReplicaPair.start();
    sentinels = await RedisSentinels.start(pair.first);
    world = await TopologyWorld.open({ intents, submitters: SUBMITTERS });
    world.memoryLost = true;
    for (let node = 0; node < 2; node += 1) (await world.addNode(connect)).run();
    await world.flushFrom(connect);
    await served(30);
  });
  afterEach(async () => {
    await world.close();
    await sentinels.stop();
    await pair.stop();
  });

  it('S8, S9, L11: is killed, and its nodes find the new one by themselves and repeat nothing', async () => {
    const before = await world.epochs();
    await pair.first.kill();
    expect(await sentinels.untilPrimaryIsNot(pair.first.port)).toBe(pair.second.port);
    await served(50);
    const after = await world.epochs();
    expect(after.every((epoch, i) => epoch > (before[i] ?? 0))).toBe(true);
    expect(world.otherRefusals).toEqual([]);
    expect(await world.violations(connect)).toEqual([]);
  });

  it('S8, S9: is deposed alive, and nodes that stay with it for a while repeat nothing', async () => {
    await sentinels.failOver();
    (await world.addNode(connect)).run();
    await served(30);
    // The end of the deposed one, which Sentinels would bring about in eight seconds.
    await pair.first.kill();
    await served(30);
    expect(await world.violations(connect)).toEqual([]);
  });
});
