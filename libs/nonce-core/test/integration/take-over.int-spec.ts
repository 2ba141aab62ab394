import type { Epoch } from '../../src/domain/epoch';
import type { Nonce } from '../../src/domain/nonce';
import type { Submitter } from '../../src/domain/submitter';
import {
  INTENT_POLICIES,
  type FastEpoch,
  type IntentPolicy,
  type TakeOverVerdict,
} from '../../src/ports/fast-epoch-store.port';
import type { FastGrant, FlushEvent } from '../../src/ports/fast-store.port';
import { PostgresFlushStore } from '../../src/postgres/postgres-flush-store';
import { PostgresModeStore } from '../../src/postgres/postgres-mode-store';
import { eventOf } from '../flush/flushed-rows';
import { FastEpochBench, grantOf } from '../support/fast-epochs';
import { switchTo } from '../support/mode-switches';
import { batchOf, noncesOf, openStore, QUARANTINE, rowOf, tokens } from '../support/store-fixture';

let bench: FastEpochBench;
let flush: PostgresFlushStore;
let modes: PostgresModeStore;
beforeEach(async () => {
  bench = new FastEpochBench(await openStore());
  flush = new PostgresFlushStore(bench.fixture.runner);
  modes = new PostgresModeStore(bench.fixture.runner);
});
afterEach(() => bench.fixture.close());

const LIVE = { exposure: 'declared' } as const;
const OVERDUE = { ...LIVE, deadlineMs: Date.now() - 1_000 } as const;

async function inEpoch(intents: IntentPolicy = 'strict', raise = 6): Promise<FastEpoch> {
  return bench.enter(await bench.opened(), { intents, raise });
}

/** The hand-over of a fast store, played by the test, up to the last step in Postgres. */
async function handOver(
  epoch: FastEpoch,
  next: number | null,
  facts: readonly FlushEvent[] = [],
): Promise<TakeOverVerdict | undefined> {
  if (facts.length > 0) await flush.apply(facts, QUARANTINE);
  const { mode, epoch: modeEpoch } = await modes.read();
  const now = mode === 'PERFORMANCE' ? (await switchTo(modes, 'RELIABLE')).epoch : modeEpoch;
  const { submitter, epoch: seen } = epoch.view;
  return bench.takeOver(submitter, { epoch: seen, retiredNext: next }, now);
}

async function issued(submitter: Submitter, count: number): Promise<number[]> {
  const row = rowOf(submitter, { ids: tokens(count) });
  const [answer] = await bench.fixture.store.allocate(batchOf([row]));
  return noncesOf(answer).sort((a, b) => a - b);
}

async function stateOf(submitter: Submitter): Promise<unknown> {
  const { rows } = await bench.fixture.database.pool.query<object>(
    `SELECT engine, incarnation, epoch::integer, base::integer FROM submitter_nonce_state
     WHERE submitter = $1`,
    [submitter],
  );
  return rows[0];
}

describe.each(INTENT_POLICIES)('a planned take-over of a %s epoch', (intents) => {
  it('H-15, I-31: fences no live holder, whether Postgres had heard of it or not', async () => {
    const epoch = await inEpoch(intents);
    const [unheard, recorded, alive] = [0, 1, 2].map((nonce) => grantOf(epoch, nonce, LIVE));
    const all = [unheard, recorded, alive] as FastGrant[];
    if (recorded !== undefined) await bench.record(recorded);
    const facts = all.map((grant) => eventOf(grant, 'GRANTED'));
    expect(await handOver(epoch, 3, facts)).toBe('taken');
    expect(await bench.say('intent', all[0] as FastGrant, 1)).toBe('INTENT');
    expect(await bench.say('intent', all[1] as FastGrant, 2)).toBe('INTENT');
    expect(await bench.say('heartbeat', all[2] as FastGrant)).toBe('GRANTED');
    expect(await bench.say('used', all[2] as FastGrant)).toBe('ASSERTED');
  });

  it('L2: gives the tail back clean, lowest first, and quarantines nothing', async () => {
    const epoch = await inEpoch(intents);
    const facts = [0, 1].map((nonce) => eventOf(grantOf(epoch, nonce, LIVE), 'GRANTED'));
    await handOver(epoch, 2, facts);
    expect(await issued(epoch.view.submitter, 6)).toEqual([2, 3, 4, 5, 6, 7]);
    const stages = await bench.stages(epoch.view.submitter);
    expect(stages).toEqual(Array.from({ length: 8 }, (_, nonce) => `${nonce} GRANTED`));
  });

  it('L6: leaves the deadlines of parked grants to the sweep', async () => {
    const epoch = await inEpoch(intents);
    await handOver(epoch, 2, [
      eventOf(grantOf(epoch, 0, OVERDUE), 'GRANTED'),
      eventOf(grantOf(epoch, 1, { ...OVERDUE, exposure: 'inferred' }), 'GRANTED'),
    ]);
    expect(await issued(epoch.view.submitter, 2)).toEqual([0, 2]);
    expect(await bench.stages(epoch.view.submitter)).toContain('1 QUARANTINED');
  });

  it('K10: comes to the same when it is repeated, by others, and at once', async () => {
    const epoch = await inEpoch(intents);
    const facts = [eventOf(grantOf(epoch, 0, LIVE), 'GRANTED')];
    // The first node dies after the facts, another one begins from the start.
    await flush.apply(facts, QUARANTINE);
    const mode = await switchTo(modes, 'RELIABLE');
    expect(mode.epoch).toBe(2);
    const answers = await Promise.all(Array.from({ length: 6 }, () => handOver(epoch, 1, facts)));
    expect(new Set(answers)).toEqual(new Set(['taken']));
    expect(await stateOf(epoch.view.submitter)).toEqual({
      engine: 'reliable',
      incarnation: null,
      epoch: epoch.view.epoch + 1,
      base: epoch.ceiling,
    });
    expect(await bench.stages(epoch.view.submitter)).toEqual(['0 GRANTED']);
  });

  it('S8: leads back to a fast store that starts above all that was, and is lent the rest', async () => {
    const epoch = await inEpoch(intents);
    const { submitter } = epoch.view;
    await handOver(epoch, 1, [eventOf(grantOf(epoch, 0, LIVE), 'GRANTED')]);
    await issued(submitter, 2);
    await switchTo(modes, 'PERFORMANCE');
    const again = await bench.enter(submitter, { intents, modeEpoch: 3 });
    expect(again.free).toEqual([3, 4, 5].map((nonce) => ({ nonce, tainted: false })));
    expect(again.base).toBe(epoch.ceiling);
    expect((await bench.stages(submitter)).slice(0, 3)).toEqual([
      '0 GRANTED',
      '1 GRANTED',
      '2 GRANTED',
    ]);
  });

  it('H-6: leaves rows as they are when the events of the stream come after the facts, twice and in any order', async () => {
    const epoch = await inEpoch(intents);
    const first = grantOf(epoch, 0, LIVE);
    const second = grantOf(epoch, 0, { ...LIVE, generation: 3, source: 'recycled' });
    const used = grantOf(epoch, 1, { ...LIVE, generation: 4 });
    const kept = eventOf(second, 'GRANTED', { rank: 2, note: 'kept' });
    await handOver(epoch, 2, [kept, eventOf(used, 'ASSERTED')]);
    const before = await bench.stages(epoch.view.submitter);
    for (const late of [
      eventOf(used, 'GRANTED'),
      eventOf(first, 'REUSABLE'),
      eventOf(second, 'GRANTED'),
      eventOf(first, 'GRANTED'),
      kept,
      eventOf(first, 'REUSABLE'),
    ]) {
      await flush.apply([late], QUARANTINE);
    }
    expect(await bench.stages(epoch.view.submitter)).toEqual(before);
    expect(before).toEqual(['0 GRANTED', '1 ASSERTED']);
    expect(await bench.say('intent', first, 1)).toBe('NONCE_FENCED');
    expect(await bench.say('intent', second, 2)).toBe('INTENT');
  });
});

describe('what a store issued and told nothing of', () => {
  it('is walked under strict intents, and its holder fenced once the nonce has another', async () => {
    const epoch = await inEpoch('strict');
    await handOver(epoch, 2);
    expect(await issued(epoch.view.submitter, 1)).toEqual([0]);
    expect(await bench.say('intent', grantOf(epoch, 0, LIVE), 1)).toBe('NONCE_FENCED');
    expect(await bench.say('intent', grantOf(epoch, 1, LIVE), 2)).toBe('INTENT');
  });

  it('S3: waits in quarantine under relaxed intents, where it may have been sent', async () => {
    const epoch = await inEpoch('relaxed');
    await handOver(epoch, 2);
    expect(await issued(epoch.view.submitter, 2)).toEqual([2, 3]);
    expect((await bench.stages(epoch.view.submitter)).slice(0, 2)).toEqual([
      '0 QUARANTINED',
      '1 QUARANTINED',
    ]);
    expect(await bench.say('intent', grantOf(epoch, 1), 1)).toBe('INTENT');
  });

  it('is left alone below the count of the chain', async () => {
    const start = { startNonce: 5 as Nonce, pendingCount: 5, chainLatestCount: 5 };
    const submitter = await bench.opened(start);
    const epoch = await bench.enter(submitter, { intents: 'relaxed', raise: 6 });
    await bench.fixture.database.pool.query(
      'UPDATE submitter_nonce_state SET chain_latest_count = 8 WHERE submitter = $1',
      [submitter],
    );
    await handOver(epoch, 9);
    expect(await bench.stages(submitter)).toEqual(['8 QUARANTINED']);
  });
});

describe('a take-over from a store that cannot be asked', () => {
  it('walks a strict epoch', async () => {
    const epoch = await inEpoch('strict');
    const sent = grantOf(epoch, 1, LIVE);
    await bench.say('intent', sent, 1);
    expect(await handOver(epoch, null)).toBe('taken');
    expect(await issued(epoch.view.submitter, 3)).toEqual([0, 2, 3]);
  });

  it('H-5, S3: quarantines a relaxed epoch with all it was lent', async () => {
    const submitter = await bench.opened();
    const strict = await bench.enter(submitter, { raise: 1 });
    const released = grantOf(strict, 0);
    await bench.record(released);
    await bench.say('recyclable', released);
    const relaxed = await bench.enter(submitter, { intents: 'relaxed', raise: 2 });
    expect(relaxed.free).toHaveLength(1);
    expect(await handOver(relaxed, null)).toBe('taken');
    expect(await bench.stages(submitter)).toEqual([0, 1, 2].map((n) => `${n} QUARANTINED`));
    expect(await issued(submitter, 1)).toEqual([3]);
  });
});

describe('a take-over', () => {
  it('S9: of an epoch that rules no more changes nothing', async () => {
    const old = await inEpoch();
    const { submitter } = old.view;
    const now = await bench.enter(submitter, { incarnation: 'redis-2' });
    const before = await stateOf(submitter);
    expect(await handOver(old, 0)).toBe('stale');
    expect(await bench.takeOver(submitter, null, 2)).toBe('stale');
    expect(await stateOf(submitter)).toEqual(before);
    expect(await handOver(now, 0)).toBe('taken');
    expect(await handOver(old, 0)).toBe('taken');
  });

  it('needs no epoch where none was told to a store, whatever the intents were', async () => {
    for (const intents of INTENT_POLICIES) {
      if ((await modes.read()).mode !== 'PERFORMANCE') await switchTo(modes, 'PERFORMANCE');
      const modeEpoch = (await modes.read()).epoch;
      const submitter = await bench.opened();
      const { view } = await bench.enter(submitter, { intents, raise: 2, modeEpoch });
      await bench.epochs.close(view, 0, 'idle');
      expect(await bench.epochs.ruling(submitter)).toBeNull();
      const { epoch } = await switchTo(modes, 'RELIABLE');
      expect(await bench.takeOver(submitter, null, epoch)).toBe('taken');
      expect(await issued(submitter, 3)).toEqual([0, 1, 2]);
    }
  });

  it('of a submitter without a row is stale', async () => {
    const { view } = await inEpoch();
    const unknown = view.submitter.replace(/.{4}$/, 'ffff') as Submitter;
    const ending = { epoch: 1 as Epoch, retiredNext: 0 };
    expect(await bench.takeOver(unknown, ending, 1)).toBe('stale');
  });

  it('L5: of many leaves alone whose row somebody else holds, and takes the others at once', async () => {
    const epochs = await Promise.all([inEpoch(), inEpoch(), inEpoch()]);
    const { epoch: modeEpoch } = await switchTo(modes, 'RELIABLE');
    const absent = epochs[0].view.submitter.replace(/.{4}$/, 'ffff') as Submitter;
    const rows = [
      ...epochs.map(({ view: { submitter, epoch } }) => ({
        submitter,
        ending: { epoch, retiredNext: 0 },
      })),
      { submitter: absent, ending: null },
    ];
    const held = rows[1];
    const other = await bench.fixture.database.pool.connect();
    try {
      await other.query('BEGIN');
      await other.query('SELECT 1 FROM submitter_nonce_state WHERE submitter = $1 FOR UPDATE', [
        held?.submitter,
      ]);
      const verdicts = await bench.epochs.takeOver(rows, modeEpoch);
      expect(verdicts).toEqual(['taken', 'contended', 'taken', 'stale']);
      const waiting = bench.epochs.takeOver(rows.slice(1, 2), modeEpoch);
      await other.query('COMMIT');
      expect(await waiting).toEqual(['taken']);
    } finally {
      other.release();
    }
    const among = await bench.epochs.rulingAmong(rows.map(({ submitter }) => submitter));
    expect(among.size).toBe(0);
  });

  it('S9: of many at once by two nodes, in opposite orders, ends each epoch once', async () => {
    const epochs = await Promise.all(Array.from({ length: 20 }, () => inEpoch()));
    const { epoch: modeEpoch } = await switchTo(modes, 'RELIABLE');
    const rows = epochs.map(({ view: { submitter, epoch } }) => ({
      submitter,
      ending: { epoch, retiredNext: 0 },
    }));
    const [first, second] = await Promise.all([
      bench.epochs.takeOver(rows, modeEpoch),
      bench.epochs.takeOver([...rows].reverse(), modeEpoch),
    ]);
    const verdicts = new Set([...first, ...second]);
    expect([...verdicts].filter((each) => each !== 'taken' && each !== 'contended')).toEqual([]);
    for (const { view } of epochs) {
      expect(await bench.takeOver(view.submitter, null, modeEpoch)).toBe('taken');
      expect(await stateOf(view.submitter)).toMatchObject({ epoch: view.epoch + 1 });
    }
  });

  it('H-2, S4: an operation that was bound anew meanwhile fences the holder that was parked', async () => {
    const epoch = await inEpoch();
    const { submitter } = epoch.view;
    const parked = grantOf(epoch, 0, { ...LIVE, operationId: 'A' });
    await handOver(epoch, 1, [eventOf(parked, 'GRANTED')]);
    const retry = rowOf(submitter, { operationId: 'A' });
    const [answer] = await bench.fixture.store.allocate(batchOf([retry]));
    expect(noncesOf(answer)).toEqual([1]);
    expect(await bench.say('intent', parked, 1)).toBe('NONCE_FENCED');
  });
});

describe('a refill', () => {
  it('raises nothing any more once the mode gives nothing, and leaves the epoch to its holders', async () => {
    const epoch = await inEpoch();
    const grant = grantOf(epoch, 0);
    await switchTo(modes, 'DRAIN');
    const ask = { view: epoch.view, ceilingSeen: epoch.ceiling, defaultWindow: 0 };
    const raise = await bench.epochs.refill([{ ...ask, raise: 8 }], 'strict');
    expect(raise).toEqual([{ kind: 'mode' }]);
    const [limits] = await bench.epochs.refill([{ ...ask, raise: 0 }], 'strict');
    expect(limits).toMatchObject({ kind: 'epoch', epoch: { ceiling: epoch.ceiling } });
    expect(await bench.record(grant)).toMatchObject({ kind: 'granted' });
    expect(await bench.say('intent', grant)).toBe('INTENT');
  });
});

describe('what a drain waits for', () => {
  it('is counted, and no further than asked', async () => {
    const epochs = await Promise.all([inEpoch(), inEpoch(), inEpoch()]);
    for (const epoch of epochs) await bench.record(grantOf(epoch, 0), grantOf(epoch, 1));
    expect(await modes.countFastEpochs(10)).toBe(3);
    expect(await modes.countFastEpochs(2)).toBe(2);
    expect(await modes.countFastGrants(10)).toBe(6);
    expect(await modes.countFastGrants(4)).toBe(4);
    expect((await modes.read()).fastEpochs).toBe(true);
    for (const epoch of epochs) await handOver(epoch, 2);
    expect(await modes.countFastEpochs(10)).toBe(0);
    expect((await modes.read()).fastEpochs).toBe(false);
    expect(await modes.countFastGrants(10)).toBe(6);
  });
});
