import { Cluster, Redis } from 'ioredis';
import { RedisCluster, RedisReplicaPair, RedisSentinels } from '../../../../tools/src/stack/index';
import type { Epoch } from '../../src/domain/epoch';
import type { Submitter } from '../../src/domain/submitter';
import type { FastOpening, FastView } from '../../src/ports/fast-store.port';
import { duplicateForFastStore } from '../../src/redis/fast-connection';
import { FastKeys } from '../../src/redis/fast-keys';
import type { RedisClient } from '../../src/redis/redis-client';
import { RedisFastStore } from '../../src/redis/redis-fast-store';
import { waitFor } from '../support/wait-for';
import { LIMITS, rowOf } from './fast-fixture';

const KEYS = new FastKeys({ prefix: 'n' });

function submitters(count: number): readonly Submitter[] {
  return Array.from(
    { length: count },
    (_, i) => `eip155:1:0x${i.toString(16).padStart(40, 'a')}` as Submitter,
  );
}

async function viewOf(store: RedisFastStore, submitter: Submitter, epoch = 1): Promise<FastView> {
  return { submitter, epoch: epoch as Epoch, incarnation: await store.incarnationOf(submitter) };
}

function opening(view: FastView, base = 0, modeEpoch = 1): FastOpening {
  const loans = { loan: 0, free: [], moreFree: false };
  return { view, modeEpoch, base, ceiling: base + 32, limits: LIMITS, ...loans };
}

async function connected(client: RedisClient): Promise<RedisClient> {
  const fast = duplicateForFastStore(client);
  await waitFor(() => fast.status === 'ready', { describe: 'the fast store to connect' });
  return fast;
}

describe('the fast store on a Cluster', () => {
  let cluster: RedisCluster;
  let host: Cluster;
  let client: RedisClient;
  let store: RedisFastStore;

  beforeAll(async () => {
    cluster = await RedisCluster.start({ primaries: 3 });
    host = new Cluster([...cluster.startupNodes]);
    host.on('error', () => undefined);
    client = await connected(host);
    store = new RedisFastStore(client, KEYS);
  });
  afterAll(async () => {
    client.disconnect();
    host.disconnect();
    await cluster.stop();
  });

  it('has one incarnation per primary and serves submitters of all of them in one call', async () => {
    const all = submitters(48);
    const views = await Promise.all(all.map((submitter) => viewOf(store, submitter)));
    expect(new Set(views.map(({ incarnation }) => incarnation)).size).toBe(3);
    expect(new Set(await store.open(views.map((view) => opening(view))))).toEqual(
      new Set(['opened']),
    );
    for (const nonce of [0, 1]) {
      const answers = await store.allocate(views.map((view) => rowOf(view)));
      for (const answer of answers) expect(answer).toMatchObject({ grants: [{ nonce }] });
    }
    expect(await store.reclaim(views, 10)).toBe(0);
    const shards = Array.from({ length: 64 }, (_, shard) => shard);
    const waiting = (await store.status(shards)).reduce((sum, s) => sum + s.streamLength, 0);
    expect(waiting).toBe(96);
  });

  it('H-15, S9: marks, tries and hands over the shards of all primaries in one call each', async () => {
    const shards = Array.from({ length: 64 }, (_, shard) => shard);
    const views = await Promise.all(
      submitters(96).map((submitter) => viewOf(store, submitter, 10)),
    );
    expect(new Set(views.map(({ incarnation }) => incarnation)).size).toBe(3);
    await store.open(views.map((view) => opening(view)));
    await store.allocate(views.map((view) => rowOf(view)));
    expect(await store.raiseMode({ epoch: 2, drain: true }, shards)).toEqual(shards);
    await expect(store.canary(shards)).resolves.toBeUndefined();
    for (const answer of await store.allocate(views.map((view) => rowOf(view))))
      expect(answer).toMatchObject({ kind: 'stale', reason: 'drain' });
    const handed = await store.handOver(views);
    for (const [i, answer] of handed.entries()) {
      const { submitter } = views[i]!;
      expect(answer).toMatchObject({ next: 1, facts: [{ grant: { submitter, nonce: 0 } }] });
    }
    await store.forget(views);
    expect(new Set(await store.handOver(views))).toEqual(new Set([null]));
  });

  it('S8: while a slot moves it grants no nonce twice, and afterwards demands a new epoch', async () => {
    const [submitter] = submitters(1) as [Submitter];
    const view = await viewOf(store, submitter, 12);
    await store.open([opening(view, 100, 3)]);
    const granted: number[] = [];
    const ask = async (asked: FastView) => {
      const [answer] = await store.allocate([rowOf(asked)]);
      if (answer !== undefined && 'kind' in answer && answer.kind === 'granted') {
        granted.push(...answer.grants.map(({ nonce }) => nonce));
      }
      return answer;
    };
    await ask(view);
    const slot = await cluster.slotOf(KEYS.events(KEYS.shardOf(submitter)));
    const to = ((await cluster.ownerOf(slot)) + 1) % 3;
    await cluster.moveSlot(slot, to, async () => {
      expect(await ask(view)).toBeInstanceOf(Error);
    });
    expect(await ask(view)).toMatchObject({ kind: 'stale', reason: 'incarnation' });
    const next = await viewOf(store, submitter, 13);
    expect(next.incarnation).not.toBe(view.incarnation);
    expect(await store.open([opening(next, 132, 3)])).toEqual(['opened']);
    await ask(next);
    expect(granted).toEqual([100, 132]);
  });

  it('keeps what the nodes are reached with', async () => {
    const guarded = new Cluster([...cluster.startupNodes], {
      lazyConnect: true,
      redisOptions: { password: 'secret', connectionName: 'host' },
    });
    const fast = duplicateForFastStore(guarded) as Cluster;
    expect(fast.options.redisOptions).toMatchObject({
      password: 'secret',
      connectionName: 'host',
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
    });
    expect(fast.options).toMatchObject({ retryDelayOnFailover: 0, retryDelayOnClusterDown: 0 });
    fast.on('error', () => undefined);
    fast.disconnect();
    guarded.disconnect();
  });
});

describe('the fast store behind Sentinel', () => {
  it('S8: finds the promoted replica, which stands for no earlier epoch', async () => {
    const pair = await RedisReplicaPair.start();
    const sentinels = await RedisSentinels.start(pair.first);
    const host = new Redis({ sentinels: [...sentinels.addresses], name: sentinels.name });
    host.on('error', () => undefined);
    const client = await connected(host);
    const store = new RedisFastStore(client, KEYS);
    const [submitter] = submitters(1) as [Submitter];
    try {
      const view = await viewOf(store, submitter);
      await store.open([opening(view)]);
      expect(await store.allocate([rowOf(view)])).toMatchObject([{ grants: [{ nonce: 0 }] }]);
      await sentinels.failOver();
      const next = await waitFor(
        async () => {
          const now = await viewOf(store, submitter, 2).catch(() => undefined);
          return now !== undefined && now.incarnation !== view.incarnation && now;
        },
        { describe: 'the new primary to answer', timeoutMs: 20_000 },
      );
      expect(await store.allocate([rowOf(view)])).toMatchObject([
        { kind: 'stale', reason: 'incarnation' },
      ]);
      expect(await store.open([opening(next, 32)])).toEqual(['opened']);
      expect(await store.allocate([rowOf(next)])).toMatchObject([{ grants: [{ nonce: 32 }] }]);
    } finally {
      client.disconnect();
      host.disconnect();
      await sentinels.stop();
      await pair.stop();
    }
  });
});
