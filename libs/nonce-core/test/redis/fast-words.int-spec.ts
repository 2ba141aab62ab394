import { RedisServer } from '../../../../tools/src/stack/index';
import type { FastGrant, FastView, FastWord } from '../../src/ports/fast-store.port';
import { pruneCalls } from '../../src/redis/fast-prune-calls';
import { LUA } from '../../src/redis/generated/lua';
import { runFastScript } from '../../src/redis/run-fast-script';
import { clean, FastFixture, LIMITS, tainted, tokens } from './fast-fixture';

const HASH = `0x${'1a'.repeat(32)}` as const;
const OTHER_HASH = `0x${'2b'.repeat(32)}` as const;

describe('what is said to the fast store about a grant', () => {
  let server: RedisServer;
  let fast: FastFixture;
  let view: FastView;

  beforeAll(async () => {
    server = await RedisServer.start();
    fast = await FastFixture.start(server);
  });
  beforeEach(async () => {
    view = await fast.view();
    await fast.open(view);
  });
  afterEach(() => fast.direct.flushall());
  afterAll(async () => {
    fast.stop();
    await server.stop();
  });

  const isHeld = async (grant: FastGrant) =>
    (await fast.direct.zscore(fast.key('held'), String(grant.nonce))) !== null;

  /** A grant that has expired, its events flushed and forgotten as a worker does it. */
  async function expired(wish: Parameters<FastFixture['grant']>[1] = {}): Promise<FastGrant> {
    const grant = await fast.grant(view, { ttlMs: 1, ...wish });
    await fast.pass(grant.deadlineMs);
    expect(await fast.store.reclaim([view], 10)).toBe(1);
    return grant;
  }

  async function flush(): Promise<void> {
    const events = await fast.events();
    const shard = fast.store.shardOf(view.submitter);
    const deliveries = events.map((event) => ({
      shard,
      entryId: '1-1',
      event,
      text: '',
      deliveries: 1,
    }));
    await runFastScript(fast.client, LUA.fastPrune, pruneCalls(fast.keys, deliveries));
    await fast.direct.xtrim(fast.eventsKey(), 'MAXLEN', 0);
  }

  it.each([
    ['submitted', { txHash: HASH }, 'BROADCAST', [HASH]],
    ['used', { txHash: HASH }, 'BROADCAST', [HASH]],
    ['used', { txHash: HASH, followable: false }, 'ASSERTED', [HASH]],
    ['used', {}, 'ASSERTED', []],
    ['quarantine', { note: 'timed out' }, 'QUARANTINED', []],
    ['recyclable', { note: 'never signed' }, 'REUSABLE', []],
  ] as const)(
    '%s with %o ends the hold as %s, in one event',
    async (word, words, stage, hashes) => {
      const grant = await fast.grant(view, { operationId: 'pay', metadata: { a: 1 } });
      const answer = await fast.say(view, [word, grant], words);
      const note = 'note' in words ? words.note : null;
      expect(answer).toMatchObject({ kind: 'done', grant, stage, hashes, note });
      expect(await isHeld(grant)).toBe(false);
      const events = await fast.events();
      expect(events).toHaveLength(2);
      expect(events[1]).toMatchObject({ grant, stage, rank: 2, hashes, note });
      expect(await fast.look(view, grant)).toEqual({
        kind: 'settled',
        event: { ...events[1]!, atMs: expect.any(Number) },
      });
    },
  );

  it.each(['keep', 'heartbeat'] as const)('%s moves the deadline to now + ttl', async (word) => {
    const grant = await fast.grant(view, { ttlMs: 5_000 });
    const answer = await fast.say(view, [word, grant], { ttlMs: 60_000, note: 'waiting' });
    expect(answer).toMatchObject({ kind: 'done', stage: 'GRANTED', note: 'waiting' });
    const { deadlineMs } = (answer as { grant: FastGrant }).grant;
    expect(deadlineMs - grant.deadlineMs).toBeGreaterThanOrEqual(55_000);
    expect(await fast.direct.zscore(fast.key('held'), '0')).toBe(String(deadlineMs));
    expect((await fast.events())[1]).toMatchObject({ grant: { deadlineMs }, rank: 2 });
  });

  it.each<[FastWord, object, FastWord, object]>([
    ['submitted', { txHash: HASH }, 'submitted', { txHash: HASH }],
    ['submitted', { txHash: HASH }, 'used', { txHash: HASH }],
    ['submitted', { txHash: HASH }, 'heartbeat', {}],
    ['used', { txHash: HASH, followable: false }, 'used', {}],
    ['quarantine', {}, 'quarantine', {}],
    ['submitted', { txHash: HASH }, 'exposed', {}],
  ])('S11: after %s %o, %s %o is nothing new', async (first, said, second, again) => {
    const grant = await fast.grant(view);
    await fast.say(view, [first, grant], said);
    expect(await fast.say(view, [second, grant], again)).toMatchObject({ kind: 'same', grant });
    expect(await fast.events()).toHaveLength(2);
  });

  it.each<[FastWord, object, FastWord, object]>([
    ['submitted', { txHash: HASH }, 'submitted', { txHash: OTHER_HASH }],
    ['submitted', { txHash: HASH }, 'used', { followable: false }],
    ['submitted', { txHash: HASH }, 'recyclable', {}],
    ['used', {}, 'recyclable', {}],
    ['quarantine', {}, 'recyclable', {}],
    ['quarantine', {}, 'submitted', { txHash: HASH }],
    ['recyclable', {}, 'recyclable', {}],
    ['recyclable', {}, 'used', {}],
    ['recyclable', {}, 'heartbeat', {}],
    ['exposing', {}, 'submitted', { txHash: HASH }],
  ])(
    'after %s %o, %s %o is for Postgres, with all that is known',
    async (first, said, second, again) => {
      const grant = await fast.grant(view);
      await fast.say(view, [first, grant], said);
      const known = await fast.events();
      const answer = await fast.say(view, [second, grant], again);
      expect(answer).toMatchObject({
        kind: 'settled',
        event: { grant, stage: known.at(-1)?.stage },
      });
      expect(await fast.events()).toEqual(known);
    },
  );

  it('S10: by a token that does not hold the nonce is refused and changes nothing', async () => {
    const grant = await fast.grant(view);
    const [id = ''] = tokens(1);
    const words: FastWord[] = [
      'submitted',
      'used',
      'recyclable',
      'quarantine',
      'keep',
      'heartbeat',
      'exposing',
      'exposed',
      'released',
      'drop',
      'park',
    ];
    for (const word of words) {
      const answer = await fast.say(view, [word, { id, nonce: grant.nonce }], { txHash: HASH });
      expect(answer).toEqual({ kind: 'fenced' });
    }
    expect(await fast.look(view, { id, nonce: grant.nonce })).toEqual({ kind: 'fenced' });
    expect(await fast.look(view, grant)).toMatchObject({ kind: 'same', grant });
    expect(await fast.events()).toHaveLength(1);
  });

  it('S10: by the former holder of a nonce that was granted again is refused', async () => {
    const former = await fast.grant(view);
    await fast.say(view, ['recyclable', former]);
    const present = await fast.grant(view);
    expect(present).toMatchObject({ nonce: former.nonce, generation: 3 });
    expect(await fast.say(view, ['submitted', former], { txHash: HASH })).toEqual({
      kind: 'fenced',
    });
    expect(await fast.say(view, ['recyclable', former])).toEqual({ kind: 'fenced' });
    expect(await fast.look(view, present)).toMatchObject({ kind: 'same', grant: present });
  });

  it('about a nonce nobody holds here is for Postgres', async () => {
    const grant = { id: tokens(1)[0]!, nonce: 9 as FastGrant['nonce'] };
    expect(await fast.say(view, ['used', grant])).toEqual({ kind: 'unknown' });
    expect(await fast.look(view, grant)).toEqual({ kind: 'unknown' });
  });

  it('an expired hold leaves with its event and is not free again by itself', async () => {
    const grant = await expired();
    expect(await fast.told()).toEqual(['GRANTED 0', 'EXPIRED 0']);
    expect(await fast.look(view, grant)).toMatchObject({
      kind: 'settled',
      event: { stage: 'EXPIRED', rank: 2, grant },
    });
    expect((await fast.grant(view)).nonce).toBe(1);
    expect(await fast.store.reclaim([view], 10)).toBe(0);
  });

  it('holds past their deadline end with the next allocation of their submitter', async () => {
    const grant = await fast.grant(view, { ttlMs: 1 });
    await fast.pass(grant.deadlineMs);
    await fast.grant(view);
    expect(await fast.told()).toEqual(['GRANTED 0', 'EXPIRED 0', 'GRANTED 1']);
  });

  it('an expired nonce is granted again once Postgres hands it over', async () => {
    await expired();
    await flush();
    await fast.refill(view, { free: clean(0) });
    expect(await fast.grant(view)).toMatchObject({ nonce: 0, source: 'recycled' });
  });

  it('exposing keeps the nonce out of everybody else’s hands, to its deadline and after it', async () => {
    const grant = await fast.grant(view, { ttlMs: 200 });
    expect(await fast.say(view, ['exposing', grant])).toMatchObject({ kind: 'done', grant });
    expect(await fast.say(view, ['exposing', grant])).toMatchObject({ kind: 'same', grant });
    expect(await fast.say(view, ['recyclable', grant])).toMatchObject({ kind: 'settled' });
    await fast.refill(view, { free: clean(0) });
    expect((await fast.grant(view)).nonce).toBe(1);
    await fast.pass(grant.deadlineMs);
    await fast.store.reclaim([view], 10);
    expect((await fast.told()).at(-1)).toBe('EXPIRED 0');
    expect((await fast.grant(view)).nonce).toBe(2);
  });

  it('exposing by a late owner takes a free nonce back, as a new grant', async () => {
    const grant = await expired();
    await flush();
    await fast.refill(view, { free: clean(0) });
    const answer = await fast.say(view, ['exposing', grant], { ttlMs: 0 });
    expect(answer).toMatchObject({
      kind: 'done',
      grant: { id: grant.id, nonce: 0, generation: 3, source: 'recycled' },
    });
    expect(await isHeld(grant)).toBe(true);
    expect((await fast.grant(view)).nonce).toBe(1);
  });

  it('exposing by a late owner comes too late for a nonce that is to be replaced', async () => {
    const grant = await expired();
    await flush();
    await fast.refill(view, { free: tainted(0) });
    expect(await fast.say(view, ['exposing', grant])).toMatchObject({ kind: 'settled' });
    expect(await fast.grant(view)).toMatchObject({ nonce: 0, source: 'replacement' });
    expect(await fast.say(view, ['exposing', grant])).toEqual({ kind: 'fenced' });
  });

  it('a late hash takes a free nonce back before somebody else is granted it', async () => {
    const grant = await fast.grant(view);
    await fast.say(view, ['recyclable', grant]);
    const answer = await fast.say(view, ['submitted', grant], { txHash: HASH });
    expect(answer).toMatchObject({ kind: 'done', stage: 'BROADCAST', hashes: [HASH] });
    expect((await fast.events()).at(-1)).toMatchObject({
      stage: 'BROADCAST',
      grant: { generation: 3 },
    });
    expect((await fast.grant(view)).nonce).toBe(1);
  });

  it('exposed is for good: the nonce is forgotten here and no longer free', async () => {
    const held = await fast.grant(view, { operationId: 'pay' });
    expect(await fast.say(view, ['exposed', held])).toMatchObject({ kind: 'done', grant: held });
    expect(await fast.look(view, held)).toEqual({ kind: 'unknown' });
    const given = await fast.grant(view);
    await fast.say(view, ['recyclable', given]);
    await fast.say(view, ['exposed', given]);
    expect((await fast.grant(view)).nonce).toBe(2);
    expect(await fast.direct.exists(fast.key('ops'), fast.key('free'))).toBe(0);
    expect(await fast.say(view, ['exposed', held])).toEqual({ kind: 'unknown' });
  });

  it('H-11: a free nonce that an earlier owner has an intent for leaves the free set', async () => {
    await fast.direct.flushall();
    await fast.open(view, { base: 10, free: [...clean(5), ...tainted(6)] });
    for (const nonce of [5, 6]) {
      const late = { id: tokens(1)[0]!, nonce: nonce as FastGrant['nonce'] };
      expect(await fast.say(view, ['exposed', late])).toEqual({ kind: 'unknown' });
    }
    expect((await fast.grant(view)).nonce).toBe(10);
  });

  it('H-11: who is fenced gives the nonce up with a last word, and it is not granted again here', async () => {
    await fast.direct.flushall();
    await fast.open(view, { base: 10, free: clean(5) });
    const rival = await fast.grant(view);
    expect(rival.nonce).toBe(5);
    expect(await fast.say(view, ['drop', rival])).toMatchObject({
      kind: 'settled',
      event: { stage: 'EXPIRED', grant: rival, rank: 2 },
    });
    expect(await fast.told()).toEqual(['GRANTED 5', 'EXPIRED 5']);
    expect(await fast.say(view, ['drop', rival])).toEqual({ kind: 'unknown' });
    expect((await fast.grant(view)).nonce).toBe(10);
  });

  it('a refused token takes no free nonce with it: the next one is judged anew', async () => {
    await fast.direct.flushall();
    await fast.open(view, { base: 10, free: clean(5) });
    const late = { id: tokens(1)[0]!, nonce: 5 as FastGrant['nonce'] };
    expect(await fast.say(view, ['drop', late])).toEqual({ kind: 'unknown' });
    const given = await fast.grant(view);
    expect(given.nonce).toBe(5);
    await fast.say(view, ['recyclable', given]);
    await fast.say(view, ['drop', given]);
    expect((await fast.grant(view)).nonce).toBe(5);
  });

  it('released gives a held nonce to the next caller, without an event', async () => {
    const grant = await fast.grant(view);
    expect(await fast.say(view, ['released', grant])).toMatchObject({ kind: 'done' });
    expect(await fast.say(view, ['released', grant])).toMatchObject({ kind: 'same' });
    expect(await fast.told()).toEqual(['GRANTED 0']);
    expect(await fast.grant(view)).toMatchObject({ nonce: 0, source: 'recycled', generation: 3 });
    expect(await fast.say(view, ['released', grant])).toEqual({ kind: 'fenced' });
  });

  it.each(['submitted', 'quarantine', 'exposing'] as const)(
    'released after %s makes nothing free: Postgres hands it over when it is',
    async (word) => {
      const grant = await fast.grant(view);
      await fast.say(view, [word, grant], { txHash: word === 'submitted' ? HASH : null });
      await fast.say(view, ['released', grant]);
      expect((await fast.grant(view)).nonce).toBe(1);
    },
  );

  it('parked grants are no longer held, and a free one stays free', async () => {
    const [held, given] = await fast.grants(view, { ids: tokens(2) });
    await fast.say(view, ['recyclable', given!]);
    expect(await fast.say(view, ['park', held!])).toMatchObject({ kind: 'done' });
    expect(await fast.say(view, ['park', given!])).toMatchObject({ kind: 'same' });
    expect(await fast.direct.exists(fast.key('held'))).toBe(0);
    expect((await fast.grant(view)).nonce).toBe(1);
    expect((await fast.grant(view)).nonce).toBe(2);
  });

  it('settled grants are forgotten once flushed, unless something was said since', async () => {
    const [sent, used, held, given] = await fast.grants(view, { ids: tokens(4) });
    await fast.say(view, ['submitted', sent!], { txHash: HASH });
    await fast.say(view, ['recyclable', given!]);
    await flush();
    await fast.say(view, ['used', used!]);
    expect(await fast.look(view, sent!)).toEqual({ kind: 'unknown' });
    expect(await fast.look(view, used!)).toMatchObject({ kind: 'settled' });
    expect(await fast.look(view, held!)).toMatchObject({ kind: 'same' });
    expect(await fast.look(view, given!)).toMatchObject({ kind: 'settled' });
    expect((await fast.grant(view)).nonce).toBe(3);
  });

  it('a refill frees nothing that is held, sent or not issued yet', async () => {
    const [held, sent, exposing] = await fast.grants(view, { ids: tokens(3) });
    await fast.say(view, ['submitted', sent!], { txHash: HASH });
    await fast.say(view, ['exposing', exposing!]);
    await fast.refill(view, { free: clean(held!.nonce, sent!.nonce, exposing!.nonce, 3, 7) });
    expect(await fast.direct.exists(fast.key('free'))).toBe(0);
    await fast.refill(view, { free: tainted(0, 1, 2, 3) });
    expect((await fast.grant(view)).nonce).toBe(3);
  });

  it('a late refill raises nothing again and takes no newer limit back', async () => {
    await fast.refill(view, { ceiling: 100, limits: { ...LIMITS, windowEnd: 100 } });
    expect(await fast.refill(view, { ceiling: 64, limits: { ...LIMITS, windowEnd: 0 } })).toBe(
      'refilled',
    );
    expect(await fast.granted(view)).toMatchObject({ fresh: 99 });
  });

  it('free nonces that come late, or a second time, are not taken, and the asker learns why', async () => {
    const first = { free: clean(0), loanSeen: 0, loan: 1 };
    await fast.direct.flushall();
    await fast.open(view, { base: 10 });
    expect(await fast.refill(view, first)).toBe('refilled');
    const sent = await fast.grant(view);
    await fast.say(view, ['exposed', sent]);
    expect(await fast.refill(view, { ...first, ceiling: 64 })).toEqual({ kind: 'behind', loan: 1 });
    expect(await fast.granted(view)).toMatchObject({ grants: [{ nonce: 10 }], fresh: 53 });
    expect(await fast.refill(view, { free: clean(1), loanSeen: 1, loan: 2 })).toBe('refilled');
    expect((await fast.grant(view)).nonce).toBe(1);
  });
});
