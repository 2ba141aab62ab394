import { v7 } from 'uuid';
import type { Epoch } from '../../src/domain/epoch';
import type { Nonce } from '../../src/domain/nonce';
import type { Submitter } from '../../src/domain/submitter';
import type { HolderCommand } from '../../src/domain/holder-command';
import type { HolderRow } from '../../src/ports/allocation-store.port';
import type { FastEpoch, FastEpochAnswer } from '../../src/ports/fast-epoch-store.port';
import type { FastGrant } from '../../src/ports/fast-store.port';
import { PostgresFastEpochStore } from '../../src/postgres/postgres-fast-epoch-store';
import {
  baselineOf,
  hashOf,
  newSubmitter,
  openStore,
  QUARANTINE,
  type StoreFixture,
} from '../support/store-fixture';

let fixture: StoreFixture;
let epochs: PostgresFastEpochStore;

beforeAll(async () => {
  fixture = await openStore();
  epochs = new PostgresFastEpochStore(fixture.runner, QUARANTINE);
});
afterAll(() => fixture.close());

function epochOf(answer: FastEpochAnswer | undefined): FastEpoch {
  if (answer?.kind !== 'epoch') throw new Error(`no epoch: ${JSON.stringify(answer)}`);
  return answer.epoch;
}

async function opened(overrides: Parameters<typeof baselineOf>[1] = {}): Promise<Submitter> {
  const submitter = newSubmitter();
  await fixture.store.open(baselineOf(submitter, overrides));
  return submitter;
}

async function enter(
  submitter: Submitter,
  {
    incarnation = 'redis-1',
    badEpoch = null,
    intents = 'strict',
    raise = 32,
    window = 0,
  }: {
    incarnation?: string;
    badEpoch?: Epoch | null;
    intents?: 'strict' | 'relaxed';
    raise?: number;
    window?: number;
  } = {},
): Promise<FastEpoch> {
  const request = {
    submitter,
    incarnation,
    badEpoch,
    raise,
    defaultWindow: window,
    reason: 'test',
  };
  const [answer] = await epochs.enter([request], intents);
  return epochOf(answer);
}

function grantOf(epoch: FastEpoch, nonce: number, overrides: Partial<FastGrant> = {}): FastGrant {
  const { submitter } = epoch.view;
  const nowMs = Date.now();
  return {
    id: v7(),
    submitter,
    nonce: nonce as Nonce,
    epoch: epoch.view.epoch,
    generation: 2,
    source: 'fresh',
    exposure: 'inferred',
    operationId: null,
    metadata: null,
    grantedAtMs: nowMs,
    deadlineMs: nowMs + 60_000,
    ...overrides,
  };
}

async function record(...grants: readonly FastGrant[]) {
  const [answer] = await epochs.record([{ grants, requestHash: null }]);
  return answer;
}

async function say(command: HolderCommand, grant: FastGrant, seed = 1) {
  const row: HolderRow = {
    command,
    id: grant.id,
    submitter: grant.submitter,
    nonce: grant.nonce,
    txHash: command === 'intent' ? hashOf(seed) : null,
    rawTx: null,
    note: null,
    ttlMs: 60_000,
    followable: false,
    grant,
  };
  const [answer] = await fixture.store.command([row], QUARANTINE);
  if (answer === undefined) throw new Error('not answered');
  return answer.kind === 'done' ? answer.allocation.stage : answer.code;
}

async function stages(submitter: Submitter): Promise<string[]> {
  const { rows } = await fixture.database.pool.query<{ text: string }>(
    `SELECT nonce || ' ' || stage AS text FROM submitter_nonce_allocation
     WHERE submitter = $1 ORDER BY nonce`,
    [submitter],
  );
  return rows.map(({ text }) => text);
}

describe('entering an epoch', () => {
  it('S9: of many nodes that enter at once exactly one wins, and the others join its epoch', async () => {
    const submitter = await opened();
    const answers = await Promise.all(Array.from({ length: 8 }, () => enter(submitter)));
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
    expect(await epochs.enter([request], 'strict')).toEqual([{ kind: 'absent' }]);
  });

  it('S8: another incarnation, a bad epoch or another intent policy starts above every ceiling before', async () => {
    const submitter = await opened();
    const first = await enter(submitter);
    const restarted = await enter(submitter, { incarnation: 'redis-2' });
    const lost = await enter(submitter, {
      incarnation: 'redis-2',
      badEpoch: restarted.view.epoch,
    });
    const relaxed = await enter(submitter, { incarnation: 'redis-2', intents: 'relaxed' });
    const ranges = [first, restarted, lost, relaxed];
    expect(ranges.every(({ won }) => won)).toBe(true);
    for (const [index, range] of ranges.entries()) {
      if (index > 0) expect(range.base).toBe(ranges[index - 1]?.ceiling);
    }
  });

  it('a strict epoch that was cut off is walked: its nonces without a row are handed over, lowest first', async () => {
    const submitter = await opened();
    const first = await enter(submitter, { raise: 4 });
    await say('intent', grantOf(first, 1, { exposure: 'declared' }));
    const second = await enter(submitter, { incarnation: 'redis-2' });
    expect(second.free).toEqual([0, 2, 3].map((nonce) => ({ nonce, tainted: false })));
    expect(second.base).toBe(4);
  });

  it('H-5, S3: a relaxed epoch that was cut off leaves all it may have granted in quarantine, also what it was handed as free', async () => {
    const submitter = await opened();
    const strict = await enter(submitter, { raise: 2 });
    const released = grantOf(strict, 0);
    await record(released);
    expect(await say('recyclable', released)).toBe('REUSABLE');
    const relaxed = await enter(submitter, { intents: 'relaxed', raise: 2 });
    expect(relaxed.free.map(({ nonce }) => nonce)).toEqual([0, 1]);
    const next = await enter(submitter, { intents: 'relaxed', incarnation: 'redis-2' });
    expect(next.free).toEqual([]);
    expect(await stages(submitter)).toEqual([0, 1, 2, 3].map((n) => `${n} QUARANTINED`));
    expect(await say('recyclable', released)).toBe('NONCE_RECYCLE_UNSAFE');
  });

  it('a relaxed epoch that its store retired leaves a clean tail', async () => {
    const submitter = await opened();
    const relaxed = await enter(submitter, { intents: 'relaxed', raise: 4 });
    expect(await epochs.close(relaxed.view, 0, 'idle')).toBe(true);
    expect(await epochs.close(relaxed.view, 0, 'idle')).toBe(false);
    const next = await enter(submitter, { intents: 'relaxed' });
    expect(next.free.map(({ nonce, tainted }) => [nonce, tainted])).toEqual(
      [0, 1, 2, 3].map((nonce) => [nonce, false]),
    );
  });

  it('H-12: under relaxed intents no more than half of the window is handed out ahead of the chain', async () => {
    const submitter = await opened({
      chainLatestCount: 5,
      startNonce: 5 as Nonce,
      pendingCount: 5,
    });
    const relaxed = await enter(submitter, { intents: 'relaxed', raise: 1_024, window: 64 });
    expect(relaxed.ceiling).toBe(5 + 32);
    const strict = await enter(submitter, { raise: 1_024, window: 64 });
    expect(strict.ceiling).toBe(5 + 64);
  });
});

describe('refilling', () => {
  it('raises a ceiling once however many nodes ask with the ceiling they have seen', async () => {
    const { view, ceiling } = await enter(await opened());
    const ask = () =>
      epochs.refill([{ view, ceilingSeen: ceiling, raise: 32, defaultWindow: 0 }], 'strict');
    const answers = await Promise.all([ask(), ask(), ask()]);
    expect(answers.map(([answer]) => epochOf(answer).ceiling)).toEqual([64, 64, 64]);
  });

  it('hands each nonce over once per epoch', async () => {
    const { view, ceiling } = await enter(await opened());
    const grant = grantOf({ view } as FastEpoch, 3);
    await record(grant);
    await say('recyclable', grant);
    expect((await epochs.awaitingLoad(10_000)).map(({ submitter }) => submitter)).toContain(
      view.submitter,
    );
    const ask = async () => {
      const row = { view, ceilingSeen: ceiling, raise: 0, defaultWindow: 0 };
      return epochOf((await epochs.refill([row], 'strict'))[0]).free;
    };
    expect(await ask()).toEqual([{ nonce: 3, tainted: false }]);
    expect(await ask()).toEqual([]);
  });

  it('an epoch that rules no more is stale', async () => {
    const submitter = await opened();
    const { view, ceiling } = await enter(submitter);
    await enter(submitter, { incarnation: 'redis-2' });
    const row = { view, ceilingSeen: ceiling, raise: 32, defaultWindow: 0 };
    expect(await epochs.refill([row], 'strict')).toEqual([{ kind: 'stale' }]);
  });
});

describe('recording and commands of grants not yet known', () => {
  it('H-23: a recorded grant whose epoch is cut off goes to quarantine when it is silent, never clean', async () => {
    const submitter = await opened();
    const grant = grantOf(await enter(submitter, { raise: 1 }), 0, { deadlineMs: Date.now() - 1 });
    expect(await record(grant)).toMatchObject({ kind: 'granted', allocations: [{ nonce: 0 }] });
    const next = await enter(submitter, { incarnation: 'redis-2' });
    expect(next.free).toEqual([]);
    expect(await stages(submitter)).toEqual(['0 QUARANTINED']);
  });

  it('a repeated record is answered with the row as it stands', async () => {
    const grant = grantOf(await enter(await opened()), 0);
    await record(grant);
    await say('intent', grant);
    expect(await record(grant)).toMatchObject({
      kind: 'granted',
      replayed: true,
      allocations: [{ stage: 'INTENT' }],
    });
  });

  it('S2, S9: a grant of an epoch that rules no more is not recorded', async () => {
    const submitter = await opened();
    const old = await enter(submitter);
    await enter(submitter, { incarnation: 'redis-2' });
    expect(await record(grantOf(old, 0))).toEqual({ kind: 'fenced' });
  });

  it('S1: of two tokens for one nonce the first intent wins, and the other is fenced', async () => {
    const epoch = await enter(await opened());
    const [first, second] = [0, 0].map((nonce) => grantOf(epoch, nonce, { exposure: 'declared' }));
    if (first === undefined || second === undefined) throw new Error('two grants');
    expect(await say('intent', first, 1)).toBe('INTENT');
    expect(await say('intent', second, 2)).toBe('NONCE_FENCED');
    expect(await say('intent', first, 1)).toBe('INTENT');
  });

  it('a later declared grant takes a nonce over whose release is still under way; the earlier one is fenced', async () => {
    const epoch = await enter(await opened());
    const early = grantOf(epoch, 0, { exposure: 'declared' });
    await record(early);
    const late = grantOf(epoch, 0, { exposure: 'declared', generation: 3 });
    expect(await say('intent', late, 1)).toBe('INTENT');
    expect(await say('intent', early, 2)).toBe('NONCE_FENCED');
  });

  it('S3: a later grant never takes over what its holder may have sent without an intent', async () => {
    const epoch = await enter(await opened());
    await record(grantOf(epoch, 0));
    const late = grantOf(epoch, 0, { exposure: 'declared', generation: 3 });
    expect(await say('intent', late)).toBe('NONCE_FENCED');
    expect(await record(late)).toEqual({ kind: 'fenced' });
  });

  it('nobody can claim a nonce at or above the ceiling', async () => {
    const epoch = await enter(await opened(), { raise: 4 });
    const beyond = grantOf(epoch, 4, { exposure: 'declared' });
    expect(await say('intent', beyond)).toBe('NONCE_FENCED');
    expect(await record(beyond)).toEqual({ kind: 'fenced' });
  });

  it('H-2, S4: an operation bound to another nonce meanwhile fences its late intent, and the others of that batch commit', async () => {
    const submitter = await opened();
    const old = await enter(submitter, { raise: 8 });
    const lost = grantOf(old, 5, { exposure: 'declared', operationId: 'A' });
    const other = grantOf(old, 6, { exposure: 'declared' });
    const now = await enter(submitter, { incarnation: 'redis-2' });
    const again = grantOf(now, 3, { exposure: 'declared', operationId: 'A', source: 'recycled' });
    expect(await record(again)).toMatchObject({ kind: 'granted' });
    const rowOf = (grant: FastGrant, seed: number): HolderRow => ({
      command: 'intent',
      id: grant.id,
      submitter,
      nonce: grant.nonce,
      txHash: hashOf(seed),
      rawTx: null,
      note: null,
      ttlMs: 0,
      followable: false,
      grant,
    });
    const answers = await fixture.store.command([rowOf(lost, 1), rowOf(other, 2)], QUARANTINE);
    expect(answers).toMatchObject([{ kind: 'refused', code: 'NONCE_FENCED' }, { kind: 'done' }]);
  });

  it('H-4: one operation with three nonces is bound once and answered with the same three', async () => {
    const epoch = await enter(await opened());
    const three = [0, 1, 2].map((nonce) => grantOf(epoch, nonce, { operationId: 'A' }));
    await record(...three);
    const others = [3, 4, 5].map((nonce) => grantOf(epoch, nonce, { operationId: 'A' }));
    const replay = await record(...others);
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
    const found = await epochs.findBindings([request, { ...request, operationId: 'B' }]);
    expect(found).toMatchObject([{ replayed: true }, null]);
  });

  it('the sweep leaves the reservations of the ruling epoch to its store, and takes them when it is closed', async () => {
    const submitter = await opened();
    const epoch = await enter(submitter, { raise: 1 });
    const silent = grantOf(epoch, 0, { exposure: 'declared', deadlineMs: Date.now() - 1_000 });
    await record(silent);
    const row = { view: epoch.view, ceilingSeen: 1, raise: 0, defaultWindow: 0 };
    await epochs.refill([row], 'strict');
    expect(await stages(submitter)).toEqual(['0 GRANTED']);
    const next = await enter(submitter, { incarnation: 'redis-2' });
    expect(next.free).toEqual([{ nonce: 0, tainted: false }]);
  });

  it('S1: a late owner is fenced while a relaxed store was lent its nonce, unless that store gave it back', async () => {
    const submitter = await opened();
    const strict = await enter(submitter, { raise: 1 });
    const late = grantOf(strict, 0, { exposure: 'declared' });
    const relaxed = await enter(submitter, { intents: 'relaxed' });
    expect(relaxed.free).toEqual([{ nonce: 0, tainted: false }]);
    expect(await say('intent', late)).toBe('NONCE_FENCED');
    const givenBack = { ...late, epoch: relaxed.view.epoch };
    expect(await say('intent', givenBack)).toBe('INTENT');
  });

  it('a later grant of a relaxed epoch that was cut off adopts its nonce, and tells its hash', async () => {
    const submitter = await opened();
    const relaxed = await enter(submitter, { intents: 'relaxed', raise: 4 });
    await record(grantOf(relaxed, 1));
    const next = await enter(submitter, { incarnation: 'redis-2', intents: 'relaxed' });
    expect(next.base).toBe(4);
    const unheard = grantOf(relaxed, 0);
    const again = grantOf(relaxed, 1, { generation: 3 });
    expect(await say('intent', unheard, 1)).toBe('INTENT');
    expect(await say('intent', again, 2)).toBe('INTENT');
    expect(await stages(submitter)).toEqual([
      '0 INTENT',
      '1 INTENT',
      '2 QUARANTINED',
      '3 QUARANTINED',
    ]);
  });
});
