import { RedisServer } from '../../../../tools/src/stack/index';
import { MAX_NONCE } from '../../src/domain/nonce';
import { clean, FastFixture, LIMITS, rowOf, SUBMITTER, tainted, tokens } from './fast-fixture';

describe('what the fast store grants', () => {
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

  it('is fresh nonces in order, each with its snapshot, its deadline and its event', async () => {
    const view = await fast.view();
    expect(await fast.open(view)).toBe('opened');
    const metadata = { work: 'pay "them" | {}' };
    const first = await fast.grant(view, { metadata, exposure: 'inferred' });
    expect(first).toMatchObject({
      submitter: SUBMITTER,
      nonce: 0,
      epoch: 1,
      generation: 2,
      source: 'fresh',
      exposure: 'inferred',
      operationId: null,
      metadata,
    });
    expect(first.deadlineMs - first.grantedAtMs).toBe(30_000);
    const second = await fast.granted(view);
    expect(second).toMatchObject({ kind: 'granted', replayed: false, fresh: 30, free: 0 });
    expect(await fast.events()).toEqual([
      { grant: first, stage: 'GRANTED', rank: 1, hashes: [], note: null, atMs: first.grantedAtMs },
      expect.objectContaining({ grant: second.grants[0] }),
    ]);
    expect(await fast.direct.hlen(fast.key('snap'))).toBe(2);
    expect(await fast.direct.zscore(fast.key('held'), '0')).toBe(String(first.deadlineMs));
    expect(await fast.look(view, first)).toMatchObject({ kind: 'same', grant: first });
  });

  it('is exact up to the largest nonce there is (S14)', async () => {
    const view = await fast.view();
    const base = MAX_NONCE - 2;
    await fast.open(view, { base, ceiling: MAX_NONCE + 1, free: clean(base - 1) });
    const grants = await fast.grants(view, { ids: tokens(3) });
    expect(grants.map(({ nonce }) => nonce)).toEqual([base - 1, base, base + 1]);
    const last = await fast.grant(view);
    expect(last.nonce).toBe(MAX_NONCE);
    expect(await fast.ask(view)).toEqual({ kind: 'refill', ceiling: MAX_NONCE + 1 });
    expect(await fast.state('next')).toBe('9007199254740991');
    expect((await fast.events()).map(({ grant }) => grant.nonce)).toEqual([
      base - 1,
      base,
      base + 1,
      MAX_NONCE,
    ]);
    const answer = await fast.say(view, ['recyclable', last]);
    expect(answer).toMatchObject({ kind: 'done', stage: 'REUSABLE' });
    expect((await fast.grant(view)).nonce).toBe(MAX_NONCE);
    expect(await fast.look(view, grants[1]!)).toMatchObject({ grant: { nonce: base } });
  });

  it('L2: is the lowest free nonce before any fresh one, whatever order they came in', async () => {
    const view = await fast.view();
    await fast.open(view, { base: 200, ceiling: 300, free: clean(100, 9, 10) });
    const block = await fast.grants(view, { ids: tokens(2) });
    expect(block.map(({ nonce, source }) => [nonce, source])).toEqual([
      [9, 'recycled'],
      [10, 'recycled'],
    ]);
    expect(await fast.ask(view, { ids: tokens(2) })).toMatchObject({
      grants: [
        { nonce: 100, source: 'recycled' },
        { nonce: 200, source: 'fresh' },
      ],
      fresh: 99,
      free: 0,
    });
  });

  it('H-1: a nonce that its holder gives back goes to the next caller, past a full window', async () => {
    const view = await fast.view();
    const limits = { ...LIMITS, floor: 5, windowEnd: 69 };
    await fast.open(view, { base: 5, ceiling: 100, limits });
    const grants = await fast.grants(view, { ids: tokens(64) });
    expect(grants.at(-1)?.nonce).toBe(68);
    const full = { kind: 'refused', code: 'NONCE_IN_FLIGHT_LIMIT', context: { available: 0 } };
    expect(await fast.ask(view)).toEqual(full);
    await fast.say(view, ['recyclable', grants[0]!], { note: 'never signed' });
    expect(await fast.grant(view)).toMatchObject({ nonce: 5, source: 'recycled' });
    expect(await fast.ask(view)).toEqual(full);
  });

  it('H-20: a block takes single free nonces, so that no gap stays', async () => {
    const view = await fast.view();
    await fast.open(view, { base: 10, free: clean(2, 7) });
    const nonces = (await fast.grants(view, { ids: tokens(4) })).map(({ nonce }) => nonce);
    expect(nonces).toEqual([2, 7, 10, 11]);
  });

  it('is a replacement where an earlier holder may have sent, and never one again as a clean one', async () => {
    const view = await fast.view();
    await fast.open(view, { base: 10, free: [...tainted(3), ...clean(4)] });
    const replacement = await fast.grant(view);
    expect(replacement).toMatchObject({ nonce: 3, source: 'replacement' });
    expect(await fast.say(view, ['recyclable', replacement])).toMatchObject({
      kind: 'done',
      stage: 'QUARANTINED',
    });
    expect(await fast.grant(view)).toMatchObject({ nonce: 4, source: 'recycled' });
    expect(await fast.grant(view)).toMatchObject({ nonce: 10 });
  });

  it('is all of a block or none, and what is refused leaves nothing behind', async () => {
    const view = await fast.view();
    await fast.open(view, { base: 10, ceiling: 12, free: clean(1) });
    expect(await fast.ask(view, { ids: tokens(4) })).toEqual({ kind: 'refill', ceiling: 12 });
    expect(await fast.told()).toEqual([]);
    const nonces = (await fast.grants(view, { ids: tokens(3) })).map(({ nonce }) => nonce);
    expect(nonces).toEqual([1, 10, 11]);
  });

  it('counts reservations where no chain count is known: refused at the limit, free after a use', async () => {
    const view = await fast.view();
    const limits = { ...LIMITS, maxReserved: 3, reservedElsewhere: 1 };
    await fast.open(view, { limits });
    const [first, second] = await fast.grants(view, { ids: tokens(2) });
    const full = { kind: 'refused', code: 'NONCE_IN_FLIGHT_LIMIT', context: { available: 0 } };
    expect(await fast.ask(view)).toEqual(full);
    await fast.say(view, ['submitted', first!], { txHash: '0x01' });
    expect(await fast.ask(view)).toEqual(full);
    await fast.say(view, ['used', second!], { followable: false });
    expect((await fast.grant(view)).nonce).toBe(2);
    expect(await fast.ask(view)).toEqual(full);
    await fast.refill(view, { limits: { ...limits, reservedElsewhere: 0 } });
    expect((await fast.grants(view, { ids: tokens(2) })).map(({ nonce }) => nonce)).toEqual([3, 4]);
  });

  it('S7: is never below the chain count, and again what a reorganisation brings back', async () => {
    const view = await fast.view();
    await fast.open(view, { base: 4, free: clean(1, 2), limits: { ...LIMITS, floor: 6 } });
    expect((await fast.grant(view)).nonce).toBe(6);
    await fast.refill(view, { limits: { ...LIMITS, floor: 2 } });
    expect((await fast.grant(view)).nonce).toBe(2);
    expect((await fast.grant(view)).nonce).toBe(7);
  });

  it('stops at the ceiling, and goes on from there after a refill', async () => {
    const view = await fast.view();
    await fast.open(view, { ceiling: 1 });
    expect(await fast.ask(view)).toMatchObject({ kind: 'granted', fresh: 0 });
    expect(await fast.ask(view)).toEqual({ kind: 'refill', ceiling: 1 });
    expect(await fast.refill(view, { ceiling: 3 })).toBe('refilled');
    expect((await fast.grant(view)).nonce).toBe(1);
  });

  it('waits for lower nonces that Postgres still has to hand over', async () => {
    const view = await fast.view();
    await fast.open(view, { base: 10, free: clean(1), moreFree: true });
    expect((await fast.grant(view)).nonce).toBe(1);
    expect(await fast.ask(view)).toEqual({ kind: 'refill', ceiling: 32 });
    await fast.refill(view, { free: clean(2) });
    expect((await fast.grant(view)).nonce).toBe(2);
    expect((await fast.grant(view)).nonce).toBe(10);
  });

  it('is nothing while the submitter is paused', async () => {
    const view = await fast.view();
    await fast.open(view, { limits: { ...LIMITS, paused: true } });
    expect(await fast.ask(view)).toEqual({ kind: 'refused', code: 'NONCE_PAUSED', context: {} });
    await fast.refill(view);
    expect((await fast.grant(view)).nonce).toBe(0);
  });

  it('S11: is the same for the same owner tokens, also much later and in one batch', async () => {
    const view = await fast.view();
    await fast.open(view, { ceiling: 4_000 });
    const ids = tokens(3);
    const first = await fast.granted(view, { ids });
    expect(await fast.ask(view, { ids })).toEqual({ ...first, replayed: true });
    for (let i = 0; i < 4; i += 1) await fast.grants(view, { ids: tokens(250) });
    expect(await fast.ask(view, { ids })).toMatchObject({ replayed: true, fresh: 2_997 });
    const row = rowOf(view);
    const [one, two] = await fast.store.allocate([row, row]);
    expect(one).toMatchObject({ replayed: false, grants: [{ nonce: 1_003 }] });
    expect(two).toMatchObject({ replayed: true, grants: [{ nonce: 1_003 }] });
  });

  it('S11: is the same for the same operation, and refused for another request under its name', async () => {
    const view = await fast.view();
    await fast.open(view);
    const wish = { operationId: 'pay-1', requestHash: 'aa' };
    const first = await fast.grants(view, { ...wish, ids: tokens(2) });
    const again = await fast.ask(view, { ...wish, ids: tokens(2) });
    expect(again).toMatchObject({ replayed: true, grants: first });
    const reused = { kind: 'refused', code: 'NONCE_IDEMPOTENCY_REUSED', context: {} };
    expect(await fast.ask(view, { ...wish, requestHash: 'bb', ids: tokens(2) })).toEqual(reused);
    expect(await fast.ask(view, { ...wish, ids: tokens(1) })).toEqual(reused);
    const both = await fast.store.allocate([
      rowOf(view, { operationId: 'pay-2' }),
      rowOf(view, { operationId: 'pay-2' }),
    ]);
    expect(both[1]).toMatchObject({ replayed: true, grants: [{ nonce: 2 }] });
  });

  it('is another nonce for an operation whose nonce was given back', async () => {
    const view = await fast.view();
    await fast.open(view);
    const first = await fast.grant(view, { operationId: 'pay-1' });
    await fast.say(view, ['recyclable', first]);
    const other = await fast.grant(view);
    expect(other.nonce).toBe(first.nonce);
    const second = await fast.grant(view, { operationId: 'pay-1' });
    expect(second.nonce).toBe(1);
    expect(await fast.grant(view, { operationId: 'pay-1' })).toEqual(second);
  });

  it('remembers owner tokens over the change of its two halves, and forgets only old ones', async () => {
    const view = await fast.view();
    await fast.open(view, { ceiling: 10_000 });
    const rounds: (readonly string[])[] = [];
    for (let i = 0; i < 24; i += 1) {
      rounds.push(tokens(200));
      await fast.grants(view, { ids: rounds[i]! });
      if (i >= 4)
        expect(await fast.ask(view, { ids: rounds[i - 4]! })).toMatchObject({ replayed: true });
    }
    const kept =
      (await fast.direct.hlen(fast.key('ids0'))) + (await fast.direct.hlen(fast.key('ids1')));
    expect(kept).toBeLessThanOrEqual(2 * 1_024);
    expect(await fast.ask(view, { ids: rounds[0]! })).toMatchObject({ replayed: false });
  });

  it('grants a batch larger than a command can take, and keeps its last owner tokens', async () => {
    const view = await fast.view();
    await fast.open(view, { ceiling: 10_000 });
    const rows = Array.from({ length: 20 }, () => rowOf(view, { ids: tokens(256) }));
    const answers = await fast.store.allocate(rows);
    const nonces = answers.flatMap((answer) =>
      'kind' in answer && answer.kind === 'granted' ? answer.grants.map(({ nonce }) => nonce) : [],
    );
    expect(nonces).toEqual(Array.from({ length: 5_120 }, (_, i) => i));
    expect(await fast.direct.zcard(fast.key('held'))).toBe(5_120);
    expect(await fast.ask(view, { ids: rows.at(-1)!.ids })).toMatchObject({ replayed: true });
    expect((await fast.grant(view)).nonce).toBe(5_120);
  });

  it('refuses when too many events wait for Postgres, but still answers what it knows', async () => {
    const small = await FastFixture.start(server, { maxWaitingEvents: 2 });
    const view = await small.view();
    await small.open(view);
    const ids = tokens(2);
    await small.grants(view, { ids });
    expect(await small.ask(view)).toEqual({
      kind: 'refused',
      code: 'NONCE_BACKPRESSURE',
      context: { store: 'redis', waitingEvents: 2 },
    });
    expect(await small.ask(view, { ids })).toMatchObject({ replayed: true });
    small.stop();
  });

  it('answers many submitters of many shards in one go, each in its place', async () => {
    const submitters = Array.from(
      { length: 40 },
      (_, i) => `eip155:1:0x${i.toString(16).padStart(40, '0')}` as typeof SUBMITTER,
    );
    const views = await Promise.all(submitters.map((submitter) => fast.view(1, submitter)));
    const shards = new Set(submitters.map((submitter) => fast.store.shardOf(submitter)));
    expect(shards.size).toBeGreaterThan(10);
    const openings = views.map((view, i) => ({
      view,
      modeEpoch: 1,
      base: i * 100,
      ceiling: i * 100 + 10,
      limits: LIMITS,
      free: [],
      moreFree: false,
      loan: 0,
    }));
    expect(new Set(await fast.store.open(openings))).toEqual(new Set(['opened']));
    const rows = [...views, ...views.toReversed()].map((view) => rowOf(view));
    const answers = await fast.store.allocate(rows);
    const nonces = answers.map((a) =>
      'kind' in a && a.kind === 'granted' ? a.grants[0]!.nonce : -1,
    );
    const expected = views.map((_, i) => i * 100);
    expect(nonces).toEqual([...expected, ...expected.toReversed().map((nonce) => nonce + 1)]);
  });

  it('runs again after the server forgot its scripts', async () => {
    const view = await fast.view();
    await fast.open(view);
    await fast.grant(view);
    await fast.direct.script('FLUSH');
    expect((await fast.grant(view)).nonce).toBe(1);
  });
});
