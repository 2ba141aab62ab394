import type { Nonce } from '../../src/domain/nonce';
import type { FastEpoch } from '../../src/ports/fast-epoch-store.port';
import { commandOf, epochOf, FastEpochBench, grantOf } from '../support/fast-epochs';
import { FIRST_MODE_EPOCH, newSubmitter, openStore, QUARANTINE } from '../support/store-fixture';

let bench: FastEpochBench;

beforeAll(async () => {
  bench = new FastEpochBench(await openStore());
});
afterAll(() => bench.fixture.close());

describe('entering an epoch', () => {
  it('S9: of many nodes that enter at once exactly one wins, and the others join its epoch', async () => {
    const submitter = await bench.opened();
    const answers = await Promise.all(Array.from({ length: 8 }, () => bench.enter(submitter)));
    expect(answers.filter(({ won }) => won)).toHaveLength(1);
    expect(new Set(answers.map(({ view }) => view.epoch)).size).toBe(1);
  });

  it('a submitter without a row is absent, and nothing is written', async () => {
    const request = {
      submitter: newSubmitter(),
      incarnation: 'redis-1',
      badEpoch: null,
      raise: 32,
      defaultWindow: 0,
      reason: 'test',
    };
    expect(await bench.epochs.enter([request], 'strict', FIRST_MODE_EPOCH)).toEqual([
      { kind: 'absent' },
    ]);
  });

  it('S8: another incarnation, a bad epoch or another intent policy starts above every ceiling before', async () => {
    const submitter = await bench.opened();
    const first = await bench.enter(submitter);
    const restarted = await bench.enter(submitter, { incarnation: 'redis-2' });
    const lost = await bench.enter(submitter, {
      incarnation: 'redis-2',
      badEpoch: restarted.view.epoch,
    });
    const relaxed = await bench.enter(submitter, { incarnation: 'redis-2', intents: 'relaxed' });
    const ranges = [first, restarted, lost, relaxed];
    expect(ranges.every(({ won }) => won)).toBe(true);
    for (const [index, range] of ranges.entries()) {
      if (index > 0) expect(range.base).toBe(ranges[index - 1]?.ceiling);
    }
  });

  it('a strict epoch that was cut off is walked: its nonces without a row are handed over, lowest first', async () => {
    const submitter = await bench.opened();
    const first = await bench.enter(submitter, { raise: 4 });
    await bench.say('intent', grantOf(first, 1, { exposure: 'declared' }));
    const second = await bench.enter(submitter, { incarnation: 'redis-2' });
    expect(second.free).toEqual([0, 2, 3].map((nonce) => ({ nonce, tainted: false })));
    expect(second.base).toBe(4);
  });

  it('H-5, S3: a relaxed epoch that was cut off leaves all it may have granted in quarantine, also what it was handed as free', async () => {
    const submitter = await bench.opened();
    const strict = await bench.enter(submitter, { raise: 2 });
    const released = grantOf(strict, 0);
    await bench.record(released);
    expect(await bench.say('recyclable', released)).toBe('REUSABLE');
    const relaxed = await bench.enter(submitter, { intents: 'relaxed', raise: 2 });
    expect(relaxed.free.map(({ nonce }) => nonce)).toEqual([0, 1]);
    const next = await bench.enter(submitter, { intents: 'relaxed', incarnation: 'redis-2' });
    expect(next.free).toEqual([]);
    expect(await bench.stages(submitter)).toEqual([0, 1, 2, 3].map((n) => `${n} QUARANTINED`));
    expect(await bench.say('recyclable', released)).toBe('NONCE_RECYCLE_UNSAFE');
  });

  it('a relaxed epoch that its store retired leaves a clean tail', async () => {
    const submitter = await bench.opened();
    const relaxed = await bench.enter(submitter, { intents: 'relaxed', raise: 4 });
    expect(await bench.epochs.close(relaxed.view, 0, 'idle')).toBe(true);
    expect(await bench.epochs.close(relaxed.view, 0, 'idle')).toBe(false);
    const next = await bench.enter(submitter, { intents: 'relaxed' });
    expect(next.free.map(({ nonce, tainted }) => [nonce, tainted])).toEqual(
      [0, 1, 2, 3].map((nonce) => [nonce, false]),
    );
  });

  it('H-12: under relaxed intents no more than half of the window is handed out ahead of the chain', async () => {
    const submitter = await bench.opened({
      chainLatestCount: 5,
      startNonce: 5 as Nonce,
      pendingCount: 5,
    });
    const relaxed = await bench.enter(submitter, { intents: 'relaxed', raise: 1_024, window: 64 });
    expect(relaxed.ceiling).toBe(5 + 32);
    const strict = await bench.enter(submitter, { raise: 1_024, window: 64 });
    expect(strict.ceiling).toBe(5 + 64);
  });
});

describe('refilling', () => {
  it('raises a ceiling once however many nodes ask with the ceiling they have seen', async () => {
    const { view, ceiling } = await bench.enter(await bench.opened());
    const ask = () =>
      bench.epochs.refill([{ view, ceilingSeen: ceiling, raise: 32, defaultWindow: 0 }], 'strict');
    const answers = await Promise.all([ask(), ask(), ask()]);
    expect(answers.map(([answer]) => epochOf(answer).ceiling)).toEqual([64, 64, 64]);
  });

  it('hands each nonce over once per epoch', async () => {
    const { view, ceiling } = await bench.enter(await bench.opened());
    const grant = grantOf({ view } as FastEpoch, 3);
    await bench.record(grant);
    await bench.say('recyclable', grant);
    expect((await bench.epochs.awaitingLoad(10_000)).map(({ submitter }) => submitter)).toContain(
      view.submitter,
    );
    const ask = async () => {
      const row = { view, ceilingSeen: ceiling, raise: 0, defaultWindow: 0 };
      return epochOf((await bench.epochs.refill([row], 'strict'))[0]).free;
    };
    expect(await ask()).toEqual([{ nonce: 3, tainted: false }]);
    expect(await ask()).toEqual([]);
  });

  it('an epoch that rules no more is stale', async () => {
    const submitter = await bench.opened();
    const { view, ceiling } = await bench.enter(submitter);
    await bench.enter(submitter, { incarnation: 'redis-2' });
    const row = { view, ceilingSeen: ceiling, raise: 32, defaultWindow: 0 };
    expect(await bench.epochs.refill([row], 'strict')).toEqual([{ kind: 'stale' }]);
  });
});

describe('recording and commands of grants not yet known', () => {
  it('H-23: a recorded grant whose epoch is cut off goes to quarantine when it is silent, never clean', async () => {
    const submitter = await bench.opened();
    const grant = grantOf(await bench.enter(submitter, { raise: 1 }), 0, {
      deadlineMs: Date.now() - 1,
    });
    expect(await bench.record(grant)).toMatchObject({
      kind: 'granted',
      allocations: [{ nonce: 0 }],
    });
    const next = await bench.enter(submitter, { incarnation: 'redis-2' });
    expect(next.free).toEqual([]);
    expect(await bench.stages(submitter)).toEqual(['0 QUARANTINED']);
  });

  it('a repeated record is answered with the row as it stands', async () => {
    const grant = grantOf(await bench.enter(await bench.opened()), 0);
    await bench.record(grant);
    await bench.say('intent', grant);
    expect(await bench.record(grant)).toMatchObject({
      kind: 'granted',
      replayed: true,
      allocations: [{ stage: 'INTENT' }],
    });
  });

  it('S2, S9: a grant of an epoch that rules no more is not recorded', async () => {
    const submitter = await bench.opened();
    const old = await bench.enter(submitter);
    await bench.enter(submitter, { incarnation: 'redis-2' });
    expect(await bench.record(grantOf(old, 0))).toMatchObject({ kind: 'fenced' });
  });

  it('S1: of two tokens for one nonce the first intent wins, and the other is fenced', async () => {
    const epoch = await bench.enter(await bench.opened());
    const [first, second] = [0, 0].map((nonce) => grantOf(epoch, nonce, { exposure: 'declared' }));
    if (first === undefined || second === undefined) throw new Error('two grants');
    expect(await bench.say('intent', first, 1)).toBe('INTENT');
    expect(await bench.say('intent', second, 2)).toBe('NONCE_FENCED');
    expect(await bench.say('intent', first, 1)).toBe('INTENT');
  });

  it('a later declared grant takes a nonce over whose release is still under way; the earlier one is fenced', async () => {
    const epoch = await bench.enter(await bench.opened());
    const early = grantOf(epoch, 0, { exposure: 'declared' });
    await bench.record(early);
    const late = grantOf(epoch, 0, { exposure: 'declared', generation: 3 });
    expect(await bench.say('intent', late, 1)).toBe('INTENT');
    expect(await bench.say('intent', early, 2)).toBe('NONCE_FENCED');
  });

  it('S3: a later grant never takes over what its holder may have sent without an intent', async () => {
    const epoch = await bench.enter(await bench.opened());
    await bench.record(grantOf(epoch, 0));
    const late = grantOf(epoch, 0, { exposure: 'declared', generation: 3 });
    expect(await bench.say('intent', late)).toBe('NONCE_FENCED');
    expect(await bench.record(late)).toMatchObject({ kind: 'fenced' });
  });

  it('nobody can claim a nonce at or above the ceiling', async () => {
    const epoch = await bench.enter(await bench.opened(), { raise: 4 });
    const beyond = grantOf(epoch, 4, { exposure: 'declared' });
    expect(await bench.say('intent', beyond)).toBe('NONCE_FENCED');
    expect(await bench.record(beyond)).toMatchObject({ kind: 'fenced' });
  });

  it('H-2, S4: an operation bound to another nonce meanwhile fences its late intent, and the others of that batch commit', async () => {
    const submitter = await bench.opened();
    const old = await bench.enter(submitter, { raise: 8 });
    const lost = grantOf(old, 5, { exposure: 'declared', operationId: 'A' });
    const other = grantOf(old, 6, { exposure: 'declared' });
    const now = await bench.enter(submitter, { incarnation: 'redis-2' });
    const again = grantOf(now, 3, { exposure: 'declared', operationId: 'A', source: 'recycled' });
    expect(await bench.record(again)).toMatchObject({ kind: 'granted' });
    const rows = [commandOf('intent', lost, 1), commandOf('intent', other, 2)];
    const answers = await bench.fixture.store.command(rows, QUARANTINE);
    expect(answers).toMatchObject([{ kind: 'refused', code: 'NONCE_FENCED' }, { kind: 'done' }]);
  });

  it('H-4: one operation with three nonces is bound once and answered with the same three', async () => {
    const epoch = await bench.enter(await bench.opened());
    const three = [0, 1, 2].map((nonce) => grantOf(epoch, nonce, { operationId: 'A' }));
    await bench.record(...three);
    const others = [3, 4, 5].map((nonce) => grantOf(epoch, nonce, { operationId: 'A' }));
    const replay = await bench.record(...others);
    expect(replay).toMatchObject({
      kind: 'granted',
      replayed: true,
      allocations: [{ nonce: 0 }, { nonce: 1 }, { nonce: 2 }],
    });
    const request = {
      submitter: epoch.view.submitter,
      operationId: 'A',
      requestHash: null,
      count: 3,
      exposure: 'inferred' as const,
    };
    const found = await bench.epochs.findBindings([request, { ...request, operationId: 'B' }]);
    expect(found).toMatchObject([{ replayed: true }, null]);
  });

  it('the sweep leaves the reservations of the ruling epoch to its store, and takes them when it is closed', async () => {
    const submitter = await bench.opened();
    const epoch = await bench.enter(submitter, { raise: 1 });
    const silent = grantOf(epoch, 0, { exposure: 'declared', deadlineMs: Date.now() - 1_000 });
    await bench.record(silent);
    const row = { view: epoch.view, ceilingSeen: 1, raise: 0, defaultWindow: 0 };
    await bench.epochs.refill([row], 'strict');
    expect(await bench.stages(submitter)).toEqual(['0 GRANTED']);
    const next = await bench.enter(submitter, { incarnation: 'redis-2' });
    expect(next.free).toEqual([{ nonce: 0, tainted: false }]);
  });

  it('S1: a late owner is fenced while a relaxed store was lent its nonce, unless that store gave it back', async () => {
    const submitter = await bench.opened();
    const strict = await bench.enter(submitter, { raise: 1 });
    const late = grantOf(strict, 0, { exposure: 'declared' });
    const relaxed = await bench.enter(submitter, { intents: 'relaxed' });
    expect(relaxed.free).toEqual([{ nonce: 0, tainted: false }]);
    expect(await bench.say('intent', late)).toBe('NONCE_FENCED');
    const givenBack = { ...late, epoch: relaxed.view.epoch };
    expect(await bench.say('intent', givenBack)).toBe('INTENT');
  });

  it('a later grant of a relaxed epoch that was cut off adopts its nonce, and tells its hash', async () => {
    const submitter = await bench.opened();
    const relaxed = await bench.enter(submitter, { intents: 'relaxed', raise: 4 });
    await bench.record(grantOf(relaxed, 1));
    const next = await bench.enter(submitter, { incarnation: 'redis-2', intents: 'relaxed' });
    expect(next.base).toBe(4);
    const unheard = grantOf(relaxed, 0);
    const again = grantOf(relaxed, 1, { generation: 3 });
    expect(await bench.say('intent', unheard, 1)).toBe('INTENT');
    expect(await bench.say('intent', again, 2)).toBe('INTENT');
    expect(await bench.stages(submitter)).toEqual([
      '0 INTENT',
      '1 INTENT',
      '2 QUARANTINED',
      '3 QUARANTINED',
    ]);
  });

  it('L6: a late sign of life from a closed epoch takes no walked nonce back, and its own row is swept', async () => {
    const submitter = await bench.opened();
    const old = await bench.enter(submitter, { raise: 2 });
    const [walked, first] = [0, 1].map((nonce) =>
      grantOf(old, nonce, { exposure: 'declared', deadlineMs: Date.now() - 1 }),
    );
    if (walked === undefined || first === undefined) throw new Error('two grants');
    expect(await bench.say('heartbeat', first)).toBe('GRANTED');
    const next = await bench.enter(submitter, { incarnation: 'redis-2' });
    expect(next.free.map(({ nonce }) => nonce)).toEqual([0]);
    expect(await bench.say('heartbeat', walked)).toBe('NONCE_FENCED');
    await bench.fixture.database.pool.query(
      `UPDATE submitter_nonce_allocation SET deadline = now() - interval '1 s'
       WHERE submitter = $1 AND stage = 'GRANTED'`,
      [submitter],
    );
    const { rows } = await bench.fixture.database.pool.query<{ due: boolean }>(
      `SELECT reclaim_at < 'infinity' AS due FROM submitter_nonce_state WHERE submitter = $1`,
      [submitter],
    );
    expect(rows).toEqual([{ due: true }]);
  });
});
