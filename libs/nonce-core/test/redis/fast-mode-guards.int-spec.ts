import { RedisServer } from '../../../../tools/src/stack/index';
import type { Submitter } from '../../src/domain/submitter';
import type { FastView } from '../../src/ports/fast-store.port';
import { pruneCalls } from '../../src/redis/fast-prune-calls';
import { FAST_SCRIPTS, type FastScriptName, type FastScripts } from '../../src/redis/fast-scripts';
import { LUA } from '../../src/redis/generated/lua';
import { runFastScript } from '../../src/redis/run-fast-script';
import { FastFixture, tokens, without } from './fast-fixture';

const OTHER = `eip155:1:0x${'cd'.repeat(20)}` as Submitter;
const HASH = `0x${'11'.repeat(32)}` as const;

/**
 * Each guard of the switch between Redis and Postgres is taken out, and what it prevents then
 * happens: Redis grants what Postgres issues meanwhile, or a word is lost between the two.
 */
describe.each([
  ['with its guard', false],
  ['without it', true],
] as const)('%s, when the mode is switched:', (_, ablated) => {
  let server: RedisServer;
  const fixtures: FastFixture[] = [];

  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterEach(async () => {
    for (const fixture of fixtures.splice(0)) {
      await fixture.direct.flushall();
      fixture.stop();
    }
  });
  afterAll(() => server.stop());

  async function start(guard: string, ...names: readonly FastScriptName[]): Promise<FastFixture> {
    const scripts: Partial<FastScripts> = Object.fromEntries(
      names.map((name) => {
        const whole = FAST_SCRIPTS[name];
        return [name, ablated ? without(guard, whole) : whole];
      }),
    );
    const fixture = await FastFixture.start(server, { scripts, shards: 1 });
    fixtures.push(fixture);
    return fixture;
  }

  /** Nonces that the answer grants; none when it does not. */
  async function nonces(fast: FastFixture, view: FastView, count = 1): Promise<readonly number[]> {
    const answer = await fast.ask(view, { ids: tokens(count) });
    if (answer instanceof Error) throw answer;
    return answer.kind === 'granted' ? answer.grants.map(({ nonce }) => nonce) : [];
  }

  /** An epoch that was opened in the mode of epoch 1 and has granted 0 and 1. */
  async function opened(fast: FastFixture): Promise<FastView> {
    const view = await fast.view();
    await fast.open(view, { modeEpoch: 1 });
    expect(await nonces(fast, view, 2)).toEqual([0, 1]);
    return view;
  }

  /** Postgres closed the epoch without being able to ask Redis, and goes on here. */
  const ISSUED_BY_POSTGRES = [2, 3];
  const again = ablated ? ISSUED_BY_POSTGRES : [];

  it('mode: a node that has not heard of the switch is granted what Postgres issues (H-15, S9)', async () => {
    const fast = await start('mode', 'allocate');
    const view = await opened(fast);
    await fast.mark(2);
    expect(await nonces(fast, view, 2)).toEqual(again);
  });

  it('mode: a lost mark lets a closed epoch go on (H-15, S9)', async () => {
    const fast = await start('mode', 'allocate');
    const view = await opened(fast);
    await fast.mark(2);
    await fast.direct.del(fast.keys.mode(0));
    expect(await nonces(fast, view, 2)).toEqual(again);
  });

  it('mode: a late opening takes the mark back, and closed epochs go on (H-15, S9)', async () => {
    const fast = await start('mode', 'open');
    const view = await opened(fast);
    await fast.mark(2);
    const late = await fast.view(1, OTHER);
    expect(await fast.open(late, { modeEpoch: 1 })).toBe(ablated ? 'opened' : 'refused');
    expect(await nonces(fast, view, 2)).toEqual(again);
  });

  it('mode: a late mark takes a newer one back, and closed epochs go on (H-15, S9)', async () => {
    const fast = await start('mode', 'mode');
    const view = await opened(fast);
    await fast.mark(2);
    expect(await fast.mark(1)).toBe(ablated);
    expect(await nonces(fast, view, 2)).toEqual(again);
  });

  it('drain: Redis grants what Postgres issues since the drain began (S9)', async () => {
    const fast = await start('drain', 'allocate');
    const view = await opened(fast);
    await fast.mark(1, true);
    expect(await nonces(fast, view, 2)).toEqual(again);
  });

  it('drain: an epoch is opened, and granted from, after the drain began (S9)', async () => {
    const fast = await start('drain', 'allocate', 'open');
    await fast.mark(1, true);
    const view = await fast.view();
    expect(await fast.open(view, { modeEpoch: 1, base: 2 })).toBe(ablated ? 'opened' : 'refused');
    expect(await nonces(fast, view, 2)).toEqual(again);
  });

  it('drain: the mark of the same mode, delivered late, ends it (S9)', async () => {
    const fast = await start('drain', 'mode');
    const view = await opened(fast);
    await fast.mark(1, true);
    expect(await fast.mark(1, false)).toBe(ablated);
    expect(await nonces(fast, view, 2)).toEqual(again);
  });

  it('unopened: an epoch is opened, and granted from, after Postgres closed it unheard (H-15)', async () => {
    const fast = await start('unopened', 'handOver');
    const view = await fast.view();
    expect(await fast.handOver(view)).toBeNull();
    expect(await fast.open(view, { base: 2 })).toBe(ablated ? 'opened' : 'refused');
    expect(await nonces(fast, view, 2)).toEqual(again);
  });

  it('handed-over: Redis grants on where it said that it had ended (S9)', async () => {
    const fast = await start('handed-over', 'allocate');
    const view = await opened(fast);
    expect((await fast.handOver(view))?.next).toBe(2);
    expect(await nonces(fast, view, 2)).toEqual(again);
  });

  it('handed-over: a nonce is free in Redis that Postgres was told to be held (S1, S9)', async () => {
    const fast = await start('handed-over', 'settle');
    const view = await opened(fast);
    const held = await fast.grant(view);
    const handed = await fast.handOver(view);
    expect(handed?.facts.map(({ stage }) => stage)).toEqual(['GRANTED', 'GRANTED', 'GRANTED']);
    const answer = await fast.say(view, ['recyclable', held]);
    expect(answer.kind).toBe(ablated ? 'done' : 'stale');
    expect(await fast.direct.exists(fast.key('free'))).toBe(ablated ? 1 : 0);
  });

  it('handed-over: a reservation ends behind the back of Postgres, which has its deadline (L4)', async () => {
    const fast = await start('handed-over', 'reclaim');
    const view = await opened(fast);
    await fast.handOver(view);
    await fast.direct.zadd(fast.key('held'), 1, '0');
    expect(await fast.store.reclaim([view], 10)).toBe(ablated ? 1 : 0);
    const stages = (await fast.handOver(view))?.facts.map(({ stage }) => stage);
    expect(stages?.includes('EXPIRED')).toBe(ablated);
  });

  it('handed-over: who repeats a hand-over is not told what was pruned meanwhile (H-2)', async () => {
    const fast = await start('handed-over');
    const view = await opened(fast);
    const sent = await fast.grant(view);
    await fast.say(view, ['submitted', sent], { txHash: HASH });
    const before = await fast.handOver(view);
    const calls = pruneCalls(
      fast.keys,
      (await fast.events()).map((event) => {
        return { shard: 0, entryId: '1-1', event, text: '', deliveries: 1 };
      }),
    );
    const script = ablated ? without('handed-over', LUA.fastPrune) : LUA.fastPrune;
    await runFastScript(fast.client, script, calls);
    const after = await fast.handOver(view);
    expect(before?.facts).toHaveLength(3);
    expect(after?.facts).toHaveLength(ablated ? 2 : 3);
  });

  it('handed-over: an idle close throws away what another node is about to be told (H-2)', async () => {
    const fast = await start('handed-over', 'retire');
    const view = await fast.view();
    await fast.open(view, { modeEpoch: 1 });
    const sent = await fast.grant(view);
    await fast.say(view, ['submitted', sent], { txHash: HASH });
    await fast.direct.xtrim(fast.eventsKey(), 'MAXLEN', 0);
    const before = await fast.handOver(view);
    await fast.store.retire(view, 0);
    const after = await fast.handOver(view);
    expect(before?.facts).toHaveLength(1);
    expect(after?.facts).toHaveLength(ablated ? 0 : 1);
  });
});
