import { RedisReplicaPair, RedisServer } from '../../../../tools/src/stack/index';
import { isNonceError } from '../../src/domain/errors/nonce-error';
import type { FastView } from '../../src/ports/fast-store.port';
import { clean, FastFixture, rowOf, tokens } from './fast-fixture';

const SUBMITTER_KEYS = ['state', 'free', 'held', 'snap', 'ops', 'ids0', 'ids1'];

describe('what the fast store no longer stands for', () => {
  let server: RedisServer;
  let fast: FastFixture;

  beforeAll(async () => {
    server = await RedisServer.start();
    fast = await FastFixture.start(server);
  });
  afterEach(() => fast.direct.flushall());
  afterAll(async () => {
    fast.stop();
    await server.stop();
  });

  /** An epoch in which every key holds something. */
  async function inUse(view: FastView): Promise<void> {
    await fast.open(view, { base: 100, ceiling: 5_000, free: clean(7, 8, 9) });
    for (let i = 0; i < 5; i += 1) await fast.grants(view, { ids: tokens(250) });
    const given = await fast.grant(view, { operationId: 'pay' });
    await fast.say(view, ['recyclable', given]);
    await fast.grants(view, { operationId: 'pay again', ids: tokens(2) });
    const [one, two] = await fast.grants(view, { ids: tokens(2) });
    await fast.say(view, ['recyclable', one!]);
    await fast.say(view, ['recyclable', two!]);
    const present = await fast.direct.exists(...SUBMITTER_KEYS.map((key) => fast.key(key)));
    expect(present).toBe(SUBMITTER_KEYS.length);
  }

  it('S9: an epoch opens once, and never after a newer one', async () => {
    const view = await fast.view(3);
    expect(await fast.open(view)).toBe('opened');
    await fast.grant(view);
    expect(await fast.open(view)).toBe('refused');
    expect(await fast.open(await fast.view(2))).toBe('refused');
    expect((await fast.grant(view)).nonce).toBe(1);
    expect(await fast.open(await fast.view(4), { base: 32, ceiling: 64 })).toBe('opened');
    expect(await fast.ask(view)).toEqual({ kind: 'stale', reason: 'epoch', epoch: 4 });
    expect((await fast.grant(await fast.view(4))).nonce).toBe(32);
  });

  it('S9: a node with an older or newer view is told the epoch that rules, and gets nothing', async () => {
    const view = await fast.view(5);
    await fast.open(view);
    const grant = await fast.grant(view);
    for (const epoch of [4, 6]) {
      const other = await fast.view(epoch);
      expect(await fast.ask(other)).toEqual({ kind: 'stale', reason: 'epoch', epoch: 5 });
      expect(await fast.say(other, ['recyclable', grant])).toEqual({ kind: 'stale' });
      expect(await fast.look(other, grant)).toEqual({ kind: 'stale' });
      expect(await fast.refill(other, { ceiling: 99 })).toBe('refused');
      expect(await fast.store.retire(other, 0)).toBeNull();
    }
    expect(await fast.events()).toHaveLength(1);
  });

  it('a new epoch knows nothing of the free nonces and grants of the one before', async () => {
    const first = await fast.view(1);
    await inUse(first);
    const second = await fast.view(2);
    await fast.open(second, { base: 6_000, ceiling: 6_010 });
    expect(await fast.grant(second, { operationId: 'pay again' })).toMatchObject({
      nonce: 6_000,
      generation: 2,
    });
  });

  it('S8: all is absent after FLUSHALL, and nothing is granted before a new epoch', async () => {
    const view = await fast.view();
    await inUse(view);
    await fast.direct.flushall();
    expect(await fast.ask(view)).toEqual({ kind: 'stale', reason: 'absent', epoch: null });
    expect(await fast.refill(view, { ceiling: 9_999 })).toBe('refused');
    expect(await fast.open(await fast.view(2), { base: 5_000, ceiling: 5_032 })).toBe('opened');
  });

  it.each(SUBMITTER_KEYS.filter((key) => key !== 'state'))(
    'S8: an epoch that has lost its key %s alone is noticed, whoever asks what',
    async (key) => {
      const view = await fast.view();
      await inUse(view);
      const grant = await fast.grant(view);
      const before = await fast.events();
      await fast.direct.del(fast.key(key));
      expect(await fast.ask(view)).toEqual({ kind: 'stale', reason: 'absent', epoch: 1 });
      expect(await fast.say(view, ['recyclable', grant])).toEqual({ kind: 'stale' });
      expect(await fast.look(view, grant)).toEqual({ kind: 'stale' });
      expect(await fast.refill(view, { ceiling: 9_999 })).toBe('refused');
      expect(await fast.store.retire(view, 0)).toBeNull();
      expect(await fast.store.reclaim([view], 10)).toBe(0);
      expect(await fast.events()).toEqual(before);
      expect(await fast.open(await fast.view(2), { base: 5_000, ceiling: 5_032 })).toBe('opened');
    },
  );

  it('S8: a state that was deleted alone is absent', async () => {
    const view = await fast.view();
    await inUse(view);
    await fast.direct.del(fast.key('state'));
    expect(await fast.ask(view)).toEqual({ kind: 'stale', reason: 'absent', epoch: null });
  });

  it.each(['nobody', 'the flush makes an empty one'] as const)(
    'no event is lost unnoticed when the stream was deleted and %s',
    async (since) => {
      const [one, two, three] = [1, 2, 3].map(
        (n) => `eip155:${String(n)}:0x${'cd'.repeat(20)}` as FastView['submitter'],
      );
      const single = await FastFixture.start(server, { shards: 1 });
      const views = await Promise.all([one!, two!, three!].map((s) => single.view(1, s)));
      for (const view of views) {
        await single.open(view);
        await single.grant(view);
      }
      const held = await single.grant(views[1]!);
      await single.direct.del(single.eventsKey(one));
      if (since !== 'nobody') {
        await single.direct.xgroup('CREATE', single.eventsKey(one), 'flush', '0', 'MKSTREAM');
      }
      const lost = { kind: 'stale', reason: 'absent', epoch: 1 };
      expect(await single.ask(views[0]!)).toEqual(lost);
      expect(await single.say(views[1]!, ['recyclable', held])).toEqual({ kind: 'stale' });
      const next = await single.view(2, one);
      await single.open(next, { base: 32, ceiling: 64 });
      expect((await single.grant(next)).nonce).toBe(32);
      expect(await single.ask(views[1]!)).toEqual(lost);
      expect(await single.ask(views[2]!)).toEqual(lost);
      expect((await single.events(one)).map(({ grant }) => grant.nonce)).toEqual([32]);
      single.stop();
    },
  );

  it('a stream that was flushed empty is not taken for a lost one', async () => {
    const view = await fast.view();
    await fast.open(view);
    await fast.grant(view);
    await fast.direct.xtrim(fast.eventsKey(), 'MAXLEN', 0);
    expect((await fast.grant(view)).nonce).toBe(1);
    const other = await fast.view(2);
    await fast.direct.xtrim(fast.eventsKey(), 'MAXLEN', 0);
    await fast.open(other, { base: 32, ceiling: 64 });
    expect((await fast.grant(other)).nonce).toBe(32);
  });

  it('an idle epoch is retired with the first nonce it never issued, and stays so', async () => {
    const view = await fast.view();
    await fast.open(view);
    const grant = await fast.grant(view);
    expect(await fast.store.retire(view, 0)).toBeNull();
    await fast.say(view, ['used', grant], { txHash: '0x01' });
    expect(await fast.store.retire(view, 60_000)).toBeNull();
    expect(await fast.told()).toEqual(['GRANTED 0', 'BROADCAST 0']);
    // Postgres would take what it has not heard of for never issued.
    expect(await fast.store.retire(view, 0)).toBeNull();
    await fast.direct.xtrim(fast.keys.events(fast.store.shardOf(view.submitter)), 'MAXLEN', 0);
    expect(await fast.store.retire(view, 0)).toEqual({ next: 1 });
    expect(await fast.ask(view)).toEqual({ kind: 'stale', reason: 'epoch', epoch: 1 });
    expect(await fast.open(view)).toBe('refused');
    expect(await fast.store.retire(view, 0)).toBeNull();
    expect(await fast.open(await fast.view(2), { base: 1 })).toBe('opened');
  });

  it('status tells how many events wait and how old the oldest is', async () => {
    const view = await fast.view();
    const shard = fast.store.shardOf(view.submitter);
    const other = (shard + 1) % 64;
    await fast.open(view);
    const none = { streamLength: 0, oldestEventAgeMs: null };
    expect(await fast.store.status([shard, other])).toEqual([
      { shard, ...none },
      { shard: other, ...none },
    ]);
    const { grantedAtMs } = await fast.grant(view);
    await fast.pass(grantedAtMs + 5);
    const [status] = await fast.store.status([shard]);
    expect(status?.streamLength).toBe(1);
    expect(status?.oldestEventAgeMs).toBeGreaterThanOrEqual(5);
  });

  it('S8: another run of the same server stands for nothing, whatever its files still hold', async () => {
    const view = await fast.view();
    await fast.open(view);
    const grant = await fast.grant(view);
    await server.restart();
    const after = await FastFixture.start(server);
    expect(await after.ask(view)).toEqual({ kind: 'stale', reason: 'incarnation', epoch: null });
    const fresh = await after.view(1);
    expect(fresh.incarnation).not.toBe(view.incarnation);
    expect(await after.ask(fresh)).toEqual({ kind: 'stale', reason: 'incarnation', epoch: 1 });
    expect(await after.say(fresh, ['recyclable', grant])).toEqual({ kind: 'stale' });
    expect(await after.open({ ...view, epoch: 2 as FastView['epoch'] })).toBe('refused');
    expect(await after.open(await after.view(2), { base: 32, ceiling: 64 })).toBe('opened');
    expect((await after.grant(await after.view(2))).nonce).toBe(32);
    after.stop();
    await fast.untilConnected();
  });

  it('says what is known of a failed call: nothing written, or nothing known', async () => {
    const view = await fast.view();
    await fast.open(view);
    await fast.direct.config('SET', 'maxmemory', '1');
    const full = await fast.ask(view);
    await fast.direct.config('SET', 'maxmemory', '0');
    expect(isNonceError(full, 'NONCE_STORE_UNAVAILABLE') && full.context).toMatchObject({
      store: 'redis',
      written: 'no',
    });
    expect((await fast.grant(view)).nonce).toBe(0);

    server.pause();
    const silent = await fast.store.allocate([rowOf(view), rowOf(view)]);
    server.resume();
    for (const answer of silent) {
      expect(isNonceError(answer, 'NONCE_STORE_UNAVAILABLE') && answer.context).toMatchObject({
        written: 'unknown',
      });
    }
    await expect(fast.store.incarnationOf(view.submitter)).resolves.toBe(view.incarnation);
  });

  it('a call whose reply was lost is found again by its owner token', async () => {
    const view = await fast.view();
    await fast.open(view);
    const ids = tokens(1);
    server.pause();
    expect(await fast.ask(view, { ids })).toBeInstanceOf(Error);
    server.resume();
    expect(await fast.ask(view, { ids })).toMatchObject({ replayed: true, grants: [{ nonce: 0 }] });
    expect((await fast.grant(view)).nonce).toBe(1);
  });
});

describe('a fast store whose server gets a replica', () => {
  let pair: RedisReplicaPair;
  let first: FastFixture;

  beforeAll(async () => {
    pair = await RedisReplicaPair.start();
    first = await FastFixture.start(pair.first);
  });
  afterAll(async () => {
    first.stop();
    await pair.stop();
  });

  it('H-16, S8: stands for nothing once the replica was promoted, on either side', async () => {
    const view = await first.view();
    await first.open(view);
    await first.grant(view);
    await pair.lagReplica();
    await first.grant(view);
    await pair.promote();
    const second = await FastFixture.start(pair.second);
    expect(await second.ask(view)).toMatchObject({ kind: 'stale', reason: 'incarnation' });
    const after = await second.view(2);
    expect(await second.open(after, { base: 32, ceiling: 64 })).toBe('opened');
    expect((await second.grant(after)).nonce).toBe(32);
    // The old primary still serves its own epoch, whose range nobody else issues from.
    expect((await first.grant(view)).nonce).toBe(2);
    await pair.rejoin();
    expect(await first.ask(view)).toMatchObject({
      code: 'NONCE_STORE_UNAVAILABLE',
      context: { written: 'no' },
    });
    second.stop();
  });
});
