import { Cluster } from 'ioredis';
import { RedisCluster } from '../../../../tools/src/stack/index';
import { SystemClock } from '../../src/module/system-clock';
import { duplicateForFastStore } from '../../src/redis/fast-connection';
import { FastKeys } from '../../src/redis/fast-keys';
import type { RedisClient } from '../../src/redis/redis-client';
import { RedisEventQueue } from '../../src/redis/redis-event-queue';
import { waitFor } from '../support/wait-for';

const SHARDS = 16;
const ALL = Array.from({ length: SHARDS }, (_, shard) => shard);

let cluster: RedisCluster;
let host: Cluster;
let client: RedisClient;
const keys = new FastKeys({ prefix: 'q', shards: SHARDS });

beforeAll(async () => {
  cluster = await RedisCluster.start({ primaries: 3 });
  host = new Cluster([...cluster.startupNodes]);
  host.on('error', () => undefined);
  client = duplicateForFastStore(host);
  await waitFor(() => client.status === 'ready', { describe: 'the cluster to be connected' });
}, 60_000);
afterAll(async () => {
  client.disconnect();
  host.disconnect();
  await Promise.all(cluster.nodes.map((node) => node.stop()));
});

const queueOf = (consumer: string) =>
  new RedisEventQueue(client, keys, new SystemClock(), { consumer, retryPauseMs: 0 });

it('streams on all nodes of a Cluster are read, taken over, acknowledged and counted', async () => {
  for (const shard of ALL) await host.xadd(keys.events(shard), '*', 'shard', String(shard));
  const dead = queueOf('dead');
  const taken = await dead.take(ALL, 100);
  expect(taken.map(({ shard, text }) => text === JSON.stringify({ shard: String(shard) }))).toEqual(
    ALL.map(() => true),
  );
  const heir = queueOf('heir');
  expect(await heir.take(ALL, 100)).toEqual([]);
  const again = await waitFor(
    async () => {
      const found = await heir.takeAgain(ALL, 100, 1);
      return found.length > 0 && found;
    },
    { describe: 'the deliveries of the silent one' },
  );
  expect(again.map(({ shard }) => shard).sort((a, b) => a - b)).toEqual(ALL);
  expect(new Set(again.map(({ deliveries }) => deliveries))).toEqual(new Set([2]));
  await heir.acknowledge(again);
  const backlog = await heir.backlog(ALL);
  expect(backlog.map(({ streamLength }) => streamLength)).toEqual(ALL.map(() => 0));
  expect(await heir.takeAgain(ALL, 100, 0)).toEqual([]);
}, 30_000);

it('streams are read wherever their slot has moved', async () => {
  const shard = 3;
  await host.xadd(keys.events(shard), '*', 'before', 'the move');
  const slot = await cluster.slotOf(keys.events(shard));
  const from = await cluster.ownerOf(slot);
  const queue = queueOf('moving');
  await cluster.moveSlot(slot, (from + 1) % 3);
  const taken = await waitFor(
    async () => {
      const found = await queue.take([shard], 10).catch(() => []);
      return found.length > 0 && found;
    },
    { describe: 'the entry at its new place' },
  );
  expect(taken).toHaveLength(1);
  await queue.acknowledge(taken);
  expect((await queue.backlog([shard]))[0]?.streamLength).toBe(0);
}, 60_000);
