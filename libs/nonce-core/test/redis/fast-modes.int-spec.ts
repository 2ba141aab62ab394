import { RedisServer } from '../../../../tools/src/stack/index';
import { isNonceError } from '../../src/domain/errors/nonce-error';
import type { FastView } from '../../src/ports/fast-store.port';
import { FastFixture, SUBMITTER } from './fast-fixture';

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

const modeKey = () => fast.keys.mode(fast.keys.shardOf(SUBMITTER));

async function opened(modeEpoch: number): Promise<FastView> {
  const view = await fast.view();
  expect(await fast.open(view, { modeEpoch })).toBe('opened');
  return view;
}

describe('the mark of the mode', () => {
  it('H-15: an epoch belongs to the mode it was opened in: a later mark ends its grants', async () => {
    const view = await opened(7);
    await fast.grant(view);
    expect(await fast.mark(8)).toBe(true);
    expect(await fast.ask(view)).toEqual({ kind: 'stale', reason: 'mode', epoch: 1 });
  });

  it('H-15: a mark that is gone may have been a later one: nothing is granted', async () => {
    const view = await opened(7);
    await fast.grant(view);
    await fast.direct.del(modeKey());
    expect(await fast.ask(view)).toEqual({ kind: 'stale', reason: 'mode', epoch: 1 });
  });

  it('grants nothing while its shard drains, but takes every word about a grant', async () => {
    const view = await opened(7);
    const grant = await fast.grant(view);
    expect(await fast.mark(7, true)).toBe(true);
    expect(await fast.ask(view)).toEqual({ kind: 'stale', reason: 'drain', epoch: 1 });
    expect(await fast.open(await fast.view(2), { modeEpoch: 7 })).toBe('refused');
    expect(await fast.say(view, ['recyclable', grant])).toMatchObject({ kind: 'done' });
    expect(await fast.told()).toEqual(['GRANTED 0', 'REUSABLE 0']);
  });

  it('is never replaced by an older one, and of one epoch a drain does not end', async () => {
    expect(await fast.mark(5)).toBe(true);
    expect(await fast.mark(5)).toBe(true);
    expect(await fast.mark(4, true)).toBe(false);
    expect(await fast.direct.hgetall(modeKey())).toEqual({ epoch: '5', drain: '0' });
    expect(await fast.mark(5, true)).toBe(true);
    expect(await fast.mark(5)).toBe(false);
    expect(await fast.mark(4)).toBe(false);
    expect(await fast.direct.hgetall(modeKey())).toEqual({ epoch: '5', drain: '1' });
    // As numbers: as texts 10 would be older than 5.
    expect(await fast.mark(10)).toBe(true);
    expect(await fast.direct.hgetall(modeKey())).toEqual({ epoch: '10', drain: '0' });
  });

  it('an opening brings the mark of its mode where there is an older one or none, and ends a drain of it', async () => {
    await opened(3);
    expect(await fast.direct.hgetall(modeKey())).toEqual({ epoch: '3', drain: '0' });
    await fast.mark(4, true);
    const next = await fast.view(2);
    expect(await fast.open(next, { modeEpoch: 5, base: 32, ceiling: 64 })).toBe('opened');
    expect(await fast.direct.hgetall(modeKey())).toEqual({ epoch: '5', drain: '0' });
    expect((await fast.grant(next)).nonce).toBe(32);
  });

  it('H-15: an opening of an older mode is refused and leaves mark and epoch as they were', async () => {
    const view = await opened(3);
    await fast.mark(4);
    expect(await fast.open(await fast.view(2), { modeEpoch: 3 })).toBe('refused');
    expect(await fast.direct.hgetall(modeKey())).toEqual({ epoch: '4', drain: '0' });
    expect(await fast.state('epoch')).toBe(String(view.epoch));
  });

  it('a refused opening of a later mode leaves the mark alone', async () => {
    const view = await opened(3);
    expect(await fast.open(view, { modeEpoch: 9 })).toBe('refused');
    expect(await fast.direct.hget(modeKey(), 'epoch')).toBe('3');
  });

  it('tells which shards took it, and leaves out those that answer with another', async () => {
    await fast.direct.hset(fast.keys.mode(2), 'epoch', 9, 'drain', 0);
    expect(await fast.store.raiseMode({ epoch: 8, drain: true }, [1, 2, 3])).toEqual([1, 3]);
    expect(await fast.direct.hget(fast.keys.mode(3), 'drain')).toBe('1');
  });

  it('is taken by no shard of a server that does not answer, and that is no error', async () => {
    server.pause();
    const taken = await fast.store.raiseMode({ epoch: 8, drain: true }, [1, 2]);
    server.resume();
    expect(taken).toEqual([]);
  });
});

describe('the canary', () => {
  it('writes and reads in every shard and leaves nothing behind', async () => {
    await fast.mark(3);
    await fast.store.canary(Array.from({ length: fast.keys.shards }, (_, shard) => shard));
    expect(await fast.direct.keys('*')).toEqual([modeKey()]);
    expect(await fast.direct.hgetall(modeKey())).toEqual({ epoch: '3', drain: '0' });
  });

  it.each([
    ['evicts', 'maxmemory-policy', 'allkeys-lru', 'noeviction'],
    ['has no room', 'maxmemory', '1', '0'],
    ['has no replica that it must have', 'min-replicas-to-write', '1', '0'],
  ])('fails where the server %s', async (_, setting, bad, good) => {
    await fast.direct.config('SET', setting, bad);
    const failure = await fast.store.canary([0]).catch((error: unknown) => error);
    await fast.direct.config('SET', setting, good);
    expect(isNonceError(failure, 'NONCE_STORE_UNAVAILABLE')).toBe(true);
    await fast.store.canary([0]);
  });

  it('fails where the server does not answer', async () => {
    server.pause();
    const failure = await fast.store.canary([0]).catch((error: unknown) => error);
    server.resume();
    expect(isNonceError(failure, 'NONCE_STORE_UNAVAILABLE')).toBe(true);
  });
});
