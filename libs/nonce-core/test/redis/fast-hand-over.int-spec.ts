import { RedisServer } from '../../../../tools/src/stack/index';
import type { Epoch } from '../../src/domain/epoch';
import type { Submitter } from '../../src/domain/submitter';
import type { FastView, FlushEvent, HandedOver } from '../../src/ports/fast-store.port';
import { pruneCalls } from '../../src/redis/fast-prune-calls';
import { LUA } from '../../src/redis/generated/lua';
import { runFastScript } from '../../src/redis/run-fast-script';
import { clean, FastFixture, LIMITS, rowOf, SUBMITTER, tainted, tokens } from './fast-fixture';

let server: RedisServer;
let fast: FastFixture;

beforeAll(async () => {
  server = await RedisServer.start();
  fast = await FastFixture.start(server);
});
afterEach(async () => {
  await fast.direct.flushall();
});
afterAll(async () => {
  fast.stop();
  await server.stop();
});

const HASH = `0x${'11'.repeat(32)}` as const;

function byNonce(handed: HandedOver | null): readonly FlushEvent[] {
  return [...(handed?.facts ?? [])].sort((a, b) => a.grant.nonce - b.grant.nonce);
}

/** Nonce, stage and rank of every fact, lowest nonce first. */
function summary(handed: HandedOver | null): readonly string[] {
  return byNonce(handed).map(
    ({ grant, stage, rank }) => `${String(grant.nonce)} ${stage} ${String(rank)}`,
  );
}

async function opened(): Promise<FastView> {
  const view = await fast.view();
  await fast.open(view);
  return view;
}

describe('a hand-over', () => {
  it('tells the last word about every grant, and where fresh nonces ended', async () => {
    const view = await fast.view();
    await fast.open(view, { base: 10, ceiling: 42, free: [...clean(3), ...tainted(4)] });
    const [, , held, sent, used, freed, maybe, late, exposing, exposed] = await fast.grants(view, {
      ids: tokens(10),
    });
    await fast.say(view, ['keep', held!], { note: 'waits', ttlMs: 60_000 });
    await fast.say(view, ['submitted', sent!], { txHash: HASH });
    await fast.say(view, ['used', used!], { followable: false });
    await fast.say(view, ['recyclable', freed!]);
    await fast.say(view, ['quarantine', maybe!]);
    await fast.direct.zadd(fast.key('held'), 1, String(late!.nonce));
    await fast.store.reclaim([view], 10);
    await fast.say(view, ['exposing', exposing!]);
    await fast.say(view, ['exposing', exposed!]);
    await fast.say(view, ['exposed', exposed!]);

    const handed = await fast.handOver(view);
    expect(handed?.next).toBe(18);
    expect(summary(handed)).toEqual([
      '3 GRANTED 1',
      '4 GRANTED 1',
      '10 GRANTED 2',
      '11 BROADCAST 2',
      '12 ASSERTED 2',
      '13 REUSABLE 2',
      '14 QUARANTINED 2',
      '15 EXPIRED 2',
      '16 GRANTED 1',
    ]);
    const told = new Map(handed?.facts.map((fact) => [fact.grant.nonce, fact]));
    expect(told.get(sent!.nonce)).toMatchObject({ grant: sent, hashes: [HASH] });
    expect(told.get(held!.nonce)).toMatchObject({ note: 'waits', grant: { id: held!.id } });
    expect(byNonce(handed)[1]?.grant.source).toBe('replacement');
  });

  it('H-2: says of each grant what its events said, in the same words and the same order of truth', async () => {
    const view = await opened();
    const [a, b] = await fast.grants(view, {
      ids: tokens(2),
      operationId: 'pay-1',
      requestHash: 'h',
      metadata: { invoice: 7 },
      exposure: 'inferred',
    });
    await fast.say(view, ['submitted', a!], { txHash: HASH, note: 'sent' });
    const events = await fast.events();
    const handed = await fast.handOver(view);
    for (const grant of [a!, b!]) {
      const last = events.findLast((event) => event.grant.id === grant.id);
      const fact = handed?.facts.find((each) => each.grant.id === grant.id);
      expect(fact).toEqual({ ...last, atMs: fact?.atMs });
    }
  });

  it('answers the same again, also to another node, until it is forgotten, and then no more', async () => {
    const view = await opened();
    await fast.grants(view, { ids: tokens(5) });
    const other = await FastFixture.start(server);
    const first = await fast.handOver(view);
    expect(first?.facts).toHaveLength(5);
    expect(await other.handOver(view)).toEqual(first);
    expect(await fast.handOver(view)).toEqual(first);
    await other.store.forget([view]);
    expect(await fast.handOver(view)).toBeNull();
    expect(await fast.direct.keys('*:{*}:eip155*')).toEqual([fast.key('state')]);
    // What waits for Postgres is not a part of it.
    expect(await fast.told()).toHaveLength(5);
    await fast.store.forget([view]);
    other.stop();
  });

  it('S9: ends the epoch: nothing is granted, settled, refilled, reclaimed, retired or opened again', async () => {
    const view = await opened();
    const [held, late] = await fast.grants(view, { ids: tokens(2) });
    const freed = await fast.grant(view);
    await fast.say(view, ['recyclable', freed]);
    const before = await fast.handOver(view);
    const told = await fast.told();
    await fast.direct.zadd(fast.key('held'), 1, String(late!.nonce));

    const ended = { kind: 'stale', reason: 'epoch', epoch: 1 };
    expect(await fast.ask(view)).toEqual(ended);
    expect(await fast.ask(view, { ids: [held!.id] })).toEqual(ended);
    for (const word of [
      'submitted',
      'used',
      'recyclable',
      'quarantine',
      'keep',
      'heartbeat',
    ] as const)
      expect(await fast.say(view, [word, held!], { txHash: HASH })).toEqual({ kind: 'stale' });
    for (const word of ['exposing', 'exposed', 'released', 'drop', 'park'] as const)
      expect(await fast.say(view, [word, held!])).toEqual({ kind: 'stale' });
    expect(await fast.refill(view, { ceiling: 99, free: clean(freed.nonce) })).toBe('refused');
    expect(await fast.store.reclaim([view], 10)).toBe(0);
    expect(await fast.store.retire(view, 0)).toBeNull();
    expect(await fast.open(view)).toBe('refused');
    expect(await fast.told()).toEqual(told);
    expect(await fast.handOver(view)).toEqual(before);

    await fast.store.forget([view]);
    expect(await fast.ask(view)).toEqual(ended);
    expect(await fast.open(view)).toBe('refused');
    expect(await fast.open(await fast.view(2), { base: 32, ceiling: 64 })).toBe('opened');
    expect((await fast.grant(await fast.view(2))).nonce).toBe(32);
  });

  it('keeps what the flush would prune, so that the answer stays whole', async () => {
    const view = await opened();
    const grant = await fast.grant(view);
    await fast.say(view, ['submitted', grant], { txHash: HASH });
    const before = await fast.handOver(view);
    const shard = fast.keys.shardOf(SUBMITTER);
    const events = await fast.events();
    const deliveries = events.map((event, i) => ({
      shard,
      entryId: `${String(i)}-1`,
      event,
      text: '',
      deliveries: 1,
    }));
    const [reply] = await runFastScript(
      fast.client,
      LUA.fastPrune,
      pruneCalls(fast.keys, deliveries),
    );
    expect(reply).toEqual({ ok: true, value: 0 });
    expect(await fast.handOver(view)).toEqual(before);
  });

  it('still tells who holds a nonce, until it is forgotten', async () => {
    const view = await opened();
    const [held, sent] = await fast.grants(view, { ids: tokens(2) });
    await fast.say(view, ['submitted', sent!], { txHash: HASH });
    await fast.handOver(view);
    expect(await fast.look(view, held!)).toMatchObject({ kind: 'same', grant: { id: held!.id } });
    expect(await fast.look(view, sent!)).toMatchObject({
      kind: 'settled',
      event: { stage: 'BROADCAST', hashes: [HASH] },
    });
    const stranger = { id: tokens(1)[0]!, nonce: held!.nonce };
    expect(await fast.look(view, stranger)).toEqual({ kind: 'fenced' });
    await fast.store.forget([view]);
    expect(await fast.look(view, held!)).toEqual({ kind: 'stale' });
  });

  it('forgets only what was handed over', async () => {
    const view = await opened();
    await fast.grant(view);
    await fast.store.forget([view, { ...view, epoch: 2 as Epoch }]);
    expect((await fast.grant(view)).nonce).toBe(1);
    await fast.handOver(view);
    await fast.store.forget([{ ...view, epoch: 2 as Epoch }]);
    expect((await fast.handOver(view))?.facts).toHaveLength(2);
  });

  it('tells where an epoch ended that was retired idle, until the next one', async () => {
    const view = await opened();
    const grant = await fast.grant(view);
    await fast.say(view, ['used', grant], { txHash: HASH });
    await fast.direct.xtrim(fast.eventsKey(), 'MAXLEN', 0);
    expect(await fast.store.retire(view, 0)).toEqual({ next: 1 });
    expect(await fast.handOver(view)).toEqual({ next: 1, facts: [] });
    await fast.open(await fast.view(2), { base: 32, ceiling: 64 });
    expect(await fast.handOver(view)).toBeNull();
  });

  it.each(['held', 'snap', 'ids0'] as const)(
    'hands nothing over when the key %s of it is lost',
    async (ending) => {
      const view = await opened();
      await fast.grant(view);
      await fast.direct.del(fast.key(ending));
      expect(await fast.handOver(view)).toBeNull();
    },
  );

  it('H-15: an epoch asked for before it was opened is not opened any more, later ones are', async () => {
    const early = await fast.view(2);
    const view = await opened();
    expect(await fast.handOver(early)).toBeNull();
    // What rules meanwhile goes on: nobody asked for it.
    expect((await fast.grant(view)).nonce).toBe(0);
    expect(await fast.open(early, { base: 32, ceiling: 64 })).toBe('refused');
    expect(await fast.handOver(early)).toBeNull();
    const later = await fast.view(3);
    expect(await fast.open(later, { base: 64, ceiling: 96 })).toBe('opened');
    expect((await fast.grant(later)).nonce).toBe(64);
  });

  it('S8: hands nothing over of another epoch, of another incarnation, or of none', async () => {
    const view = await opened();
    await fast.grant(view);
    expect(await fast.handOver({ ...view, epoch: 2 as Epoch })).toBeNull();
    expect(await fast.handOver({ ...view, incarnation: 'other' })).toBeNull();
    expect((await fast.grant(view)).nonce).toBe(1);
    await server.restart();
    await fast.untilConnected();
    expect(await fast.handOver(view)).toBeNull();
    expect(await fast.handOver(await fast.view())).toBeNull();
    await fast.direct.flushall();
    expect(await fast.handOver(await fast.view())).toBeNull();
  });

  it('gives an error when the server does not answer, and its answer when it is asked again', async () => {
    const view = await opened();
    server.pause();
    const [answer] = await fast.store.handOver([view]);
    server.resume();
    expect(answer).toBeInstanceOf(Error);
    expect(await fast.handOver(view)).toEqual({ next: 0, facts: [] });
  });

  it('takes many submitters of all shards at once, each with its own answer', async () => {
    const submitters = Array.from(
      { length: 200 },
      (_, i) => `eip155:1:0x${i.toString(16).padStart(40, '0')}` as Submitter,
    );
    const views = await Promise.all(submitters.map((submitter) => fast.view(1, submitter)));
    const rest = { modeEpoch: 1, limits: LIMITS, free: [], moreFree: false, loan: 0 };
    const even = views.filter((_, i) => i % 2 === 0);
    await fast.store.open(even.map((view, i) => ({ view, base: i, ceiling: i + 9, ...rest })));
    await fast.store.allocate(even.map((view) => rowOf(view)));
    const answers = await fast.store.handOver(views);
    for (const [i, answer] of answers.entries()) {
      if (i % 2 === 1) expect(answer).toBeNull();
      else
        expect(answer).toMatchObject({
          next: i / 2 + 1,
          facts: [{ grant: { submitter: submitters[i], nonce: i / 2 } }],
        });
    }
  });
});

describe('a hand-over of very much', () => {
  const GRANTS = 10_000;

  async function openedLarge(): Promise<FastView> {
    const view = await fast.view();
    await fast.open(view, { ceiling: GRANTS });
    for (let i = 0; i < GRANTS; i += 500)
      await fast.grants(view, { ids: tokens(500), metadata: { text: 'x'.repeat(100) } });
    return view;
  }

  it('tells 10,000 grants, page by page, and lets others be served in between', async () => {
    const view = await openedLarge();
    let served = 0;
    const others = new AbortController();
    const serving = (async () => {
      for (; !others.signal.aborted; served += 1) await fast.direct.ping();
    })();
    const handed = await fast.handOver(view);
    others.abort();
    await serving;
    expect(served).toBeGreaterThanOrEqual(10);
    expect(handed?.next).toBe(GRANTS);
    expect(handed?.facts).toHaveLength(GRANTS);
    const nonces = new Set(handed?.facts.map(({ grant }) => grant.nonce));
    expect(nonces.size).toBe(GRANTS);
    const again = await fast.handOver(view);
    expect(byNonce(again)).toEqual(byNonce(handed));
  });

  it('is null as a whole when it is lost between two pages', async () => {
    const view = await openedLarge();
    const handing = fast.handOver(view);
    // On the same connection: behind the first page, before the second can be asked for.
    await fast.client.del(fast.key('snap'));
    expect(await handing).toBeNull();
  });

  it('is null as a whole when somebody forgets it between two pages', async () => {
    const view = await openedLarge();
    const [handed] = await Promise.all([fast.handOver(view), fast.store.forget([view])]);
    expect(handed).toBeNull();
  });
});
