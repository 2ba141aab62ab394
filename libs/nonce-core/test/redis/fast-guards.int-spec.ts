import { RedisServer, truncateAppendOnlyTail } from '../../../../tools/src/stack/index';
import type { FastGrant, FastView } from '../../src/ports/fast-store.port';
import { LUA } from '../../src/redis/generated/lua';
import { FAST_SCRIPTS, type FastScriptName, type FastScripts } from '../../src/redis/fast-scripts';
import { clean, FastFixture, tokens, without } from './fast-fixture';

/**
 * Each guard of the scripts is taken out, and what it prevents then happens: the same nonce is given
 * to two holders, or something is lost. With it, the same steps end well.
 */
describe('without its guard, the fast store', () => {
  let server: RedisServer;
  const fixtures: FastFixture[] = [];

  beforeAll(async () => {
    server = await RedisServer.start({ config: ['appendfsync always'] });
  });
  afterEach(async () => {
    for (const fixture of fixtures.splice(0)) {
      await fixture.untilConnected();
      await fixture.direct.flushall();
      fixture.stop();
    }
  });
  afterAll(() => server.stop());

  async function start(scripts: Partial<FastScripts> = {}, maxWaitingEvents = 0) {
    const fixture = await FastFixture.start(server, { scripts, maxWaitingEvents });
    fixtures.push(fixture);
    return fixture;
  }

  /** Nonces that the answer grants; none when it does not. */
  async function nonces(fast: FastFixture, view: FastView, count = 1): Promise<readonly number[]> {
    const answer = await fast.ask(view, { ids: tokens(count) });
    if (answer instanceof Error) throw answer;
    return answer.kind === 'granted' ? answer.grants.map(({ nonce }) => nonce) : [];
  }

  describe.each([
    ['with it', false],
    ['ablated', true],
  ] as const)('%s:', (_, ablated) => {
    const script = (name: FastScriptName, guard: string) => {
      const whole = FAST_SCRIPTS[name];
      return { [name]: ablated ? without(guard, whole) : whole };
    };

    it('incarnation: a server that lost its tail grants the same nonces again (S8)', async () => {
      const fast = await start(script('allocate', 'incarnation'));
      const view = await fast.view();
      await fast.open(view);
      await fast.direct.set('marker', 'x'.repeat(64));
      const before = await nonces(fast, view, 2);
      await server.kill();
      await truncateAppendOnlyTail(server, 600);
      await server.restart();
      await fast.untilConnected();
      const after = await nonces(fast, view, 2);
      expect(before).toEqual([0, 1]);
      expect(after).toEqual(ablated ? [0, 1] : []);
    });

    it('epoch: a node of the new epoch is granted from the closed range of the old one (S9)', async () => {
      const fast = await start(script('allocate', 'epoch'));
      await fast.open(await fast.view(1), { base: 0, ceiling: 10 });
      await nonces(fast, await fast.view(1), 3);
      // Postgres has closed epoch 1 and issues 3…9 from its own free list; the opening was lost.
      const issuedByPostgres = [3, 4];
      const granted = await nonces(fast, await fast.view(2), 2);
      expect(granted).toEqual(ablated ? issuedByPostgres : []);
    });

    it('init-once: an opening that is sent twice issues its nonces twice (S8)', async () => {
      const fast = await start(script('open', 'init-once'));
      const view = await fast.view();
      await fast.open(view);
      const before = await nonces(fast, view, 2);
      expect(await fast.open(view)).toBe(ablated ? 'opened' : 'refused');
      const after = await nonces(fast, view, 2);
      expect(before).toEqual([0, 1]);
      expect(after).toEqual(ablated ? [0, 1] : [2, 3]);
    });

    it('ceiling: an epoch runs on into the range of the next one (S9)', async () => {
      const fast = await start(script('allocate', 'ceiling'));
      await fast.open(await fast.view(1), { base: 0, ceiling: 2 });
      const before = [
        ...(await nonces(fast, await fast.view(1), 2)),
        ...(await nonces(fast, await fast.view(1))),
      ];
      await fast.open(await fast.view(2), { base: 2, ceiling: 4 });
      const after = await nonces(fast, await fast.view(2));
      expect(before).toEqual(ablated ? [0, 1, 2] : [0, 1]);
      expect(after).toEqual([2]);
    });

    it('held: a refill frees a nonce under the hands of its holder (S1)', async () => {
      const fast = await start(script('refill', 'held'));
      const view = await fast.view();
      await fast.open(view);
      expect(await nonces(fast, view)).toEqual([0]);
      await fast.refill(view, { free: clean(0) });
      expect(await nonces(fast, view)).toEqual(ablated ? [0] : [1]);
    });

    it('owner: a former holder gives away the nonce of the present one (S10)', async () => {
      const fast = await start(script('settle', 'owner'));
      const view = await fast.view();
      await fast.open(view);
      const former = await fast.grant(view);
      await fast.say(view, ['recyclable', former]);
      const present = await fast.grant(view);
      await fast.say(view, ['recyclable', former]);
      expect(present.nonce).toBe(0);
      expect(await nonces(fast, view)).toEqual(ablated ? [0] : [1]);
    });

    it('lost-key: free nonces that are gone leave a gap below fresh ones (L1)', async () => {
      const fast = await start(script('allocate', 'lost-key'));
      const view = await fast.view();
      await fast.open(view, { base: 10, free: clean(4) });
      await fast.direct.del(fast.key('free'));
      expect(await nonces(fast, view)).toEqual(ablated ? [10] : []);
    });

    it('lost-key: a nonce is freed under the hands of a holder that was forgotten (S1)', async () => {
      const lost = 'lost-key';
      const fast = await start({ ...script('allocate', lost), ...script('refill', lost) });
      const view = await fast.view();
      await fast.open(view);
      const [first] = await nonces(fast, view);
      await fast.direct.del(fast.key('held'), fast.key('snap'));
      await fast.refill(view, { free: clean(0) });
      expect(first).toBe(0);
      expect(await nonces(fast, view)).toEqual(ablated ? [0] : []);
    });

    it('stream-limit: events pile up until Redis has no room for anything', async () => {
      const fast = await start(script('allocate', 'stream-limit'), 2);
      const view = await fast.view();
      await fast.open(view);
      for (let i = 0; i < 5; i += 1) await nonces(fast, view);
      expect((await fast.events()).length).toBe(ablated ? 5 : 2);
    });
  });

  it('would not be noticed: a guard that is not there cannot be taken out', () => {
    expect(() => without('no such guard', LUA.fastAllocate)).toThrow('has no guard');
  });

  it('keeps a fenced holder’s word out of a later epoch, too', async () => {
    const fast = await start();
    const view = await fast.view();
    await fast.open(view);
    const grant: FastGrant = await fast.grant(view);
    const next = await fast.view(2);
    await fast.open(next, { base: 32, ceiling: 64, free: clean(0) });
    expect((await fast.grant(next)).nonce).toBe(0);
    expect(await fast.say(next, ['recyclable', grant])).toEqual({ kind: 'fenced' });
    expect(await nonces(fast, next)).toEqual([32]);
  });
});
