import { ENGINE_MODES, engineOf, LASTING_MODES, modesAfter } from '../../src/domain/engine-mode';
import { PostgresModeStore } from '../../src/postgres/postgres-mode-store';
import { FastEpochBench } from '../support/fast-epochs';
import { PREFLIGHT, switchRequest, switchTo } from '../support/mode-switches';
import { baselineOf, newSubmitter, openStore, type StoreFixture } from '../support/store-fixture';

let fixture: StoreFixture;
let store: PostgresModeStore;
beforeEach(async () => {
  fixture = await openStore('RELIABLE');
  store = new PostgresModeStore(fixture.runner);
});
afterEach(() => fixture.close());

const query = async <Row extends object>(sql: string, values: unknown[] = []) =>
  (await fixture.database.pool.query<Row>(sql, values)).rows;
const audited = (action: string) =>
  query('SELECT actor, subject, reason, detail FROM audit WHERE action = $1 ORDER BY id', [action]);

describe('the mode', () => {
  it('is set by the first start alone', async () => {
    await store.initialise('PERFORMANCE', 'a later start');
    expect(await store.read()).toMatchObject({
      mode: 'RELIABLE',
      epoch: 1,
      actor: 'test',
      pinned: false,
      returnTo: null,
      dwellMs: 0,
      runningSwitch: null,
      prefetch: null,
      fastEpochs: false,
    });
  });

  it('cannot be read, tuned or switched before it', async () => {
    await fixture.close();
    fixture = await openStore(null);
    store = new PostgresModeStore(fixture.runner);
    const sizes = { size: 1, lowWater: 0, max: 1 };
    await expect(store.read()).rejects.toMatchObject({ code: 'NONCE_INTERNAL' });
    await expect(store.tunePrefetch(sizes, 'a', 'b')).rejects.toMatchObject({
      code: 'NONCE_INTERNAL',
    });
    expect(await store.switchTo(switchRequest(1, 'PERFORMANCE'))).toBeNull();
  });

  it('is as old as Postgres says, whatever the clock of the node', async () => {
    await fixture.database.pool.query(`UPDATE engine_mode SET since = now() - interval '1 hour'`);
    const { ageMs } = await store.read();
    expect(ageMs).toBeGreaterThanOrEqual(3_600_000);
    expect(ageMs).toBeLessThan(3_660_000);
  });

  it('S9: of many operators who saw the same epoch exactly one switches, and one entry is audited', async () => {
    const requests = Array.from({ length: 8 }, (_, i) =>
      switchRequest(1, i % 2 === 0 ? 'PERFORMANCE' : 'DUAL_WRITE', { actor: `operator ${i}` }),
    );
    const answers = await Promise.all(requests.map((request) => store.switchTo(request)));
    const won = answers.filter((answer) => answer !== null);
    expect(won).toHaveLength(1);
    expect(await store.read()).toMatchObject({
      mode: won[0]?.to,
      epoch: 2,
      actor: won[0]?.actor,
      runningSwitch: won[0]?.id,
    });
    expect(await audited('mode.switch')).toEqual([
      {
        actor: won[0]?.actor,
        subject: won[0]?.to,
        reason: 'test',
        detail: {
          switch: won[0]?.id,
          from: 'RELIABLE',
          to: won[0]?.to,
          epoch: 2,
          automatic: false,
          pinned: false,
        },
      },
    ]);
  });

  it('keeps what a switch says of the way back', async () => {
    await switchTo(store, 'PERFORMANCE');
    const way = { automatic: true, returnTo: 'PERFORMANCE', dwellMs: 60_000 } as const;
    await store.switchTo(switchRequest(2, 'DEGRADED', way));
    expect(await store.read()).toMatchObject({ returnTo: 'PERFORMANCE', dwellMs: 60_000 });
  });

  it('moves in the database along exactly those edges that the program knows', async () => {
    const rows = await query<{ edge: string }>(
      `SELECT a || ' ' || b AS edge FROM unnest($1::text[]) a, unnest($1::text[]) b
       WHERE mode_may_follow(a, b)`,
      [ENGINE_MODES],
    );
    const known = ENGINE_MODES.flatMap((from) => modesAfter(from).map((to) => `${from} ${to}`));
    expect(rows.map(({ edge }) => edge).sort()).toEqual([...known].sort());
  });

  it.each([
    ['lower its epoch', 'UPDATE engine_mode SET epoch = epoch - 1'],
    ['change without a new epoch', `UPDATE engine_mode SET mode = 'PERFORMANCE'`],
    ['take an edge that is none', `UPDATE engine_mode SET mode = 'DRAIN', epoch = epoch + 1`],
    [
      'have a second row',
      `INSERT INTO engine_mode (singleton, mode, actor, reason)
      VALUES (false, 'RELIABLE', 'a', 'b')`,
    ],
    ['tune a part', 'UPDATE engine_mode SET prefetch_size = 1'],
    ['be deleted', 'DELETE FROM engine_mode'],
  ])('S9: refuses to %s', async (_, sql) => {
    await query('UPDATE engine_mode SET epoch = 5');
    await expect(query(sql)).rejects.toThrow(/is refused|violates check constraint/);
  });
});

describe('a switch', () => {
  it('S10: keeps its facts while it runs, and everything once it has ended', async () => {
    await store.switchTo(switchRequest(1, 'PERFORMANCE'));
    for (const change of [`to_mode = 'DRAIN'`, 'epoch = 9', `actor = 'x'`, `reason = 'x'`]) {
      await expect(query(`UPDATE mode_switch SET ${change}`)).rejects.toThrow(/is refused/);
    }
    await store.abort('operator', 'no');
    for (const change of [`state = 'running', ended_at = NULL`, `phases = '[]'`]) {
      await expect(query(`UPDATE mode_switch SET ${change}`)).rejects.toThrow(/is refused/);
    }
    await expect(query('DELETE FROM mode_switch')).rejects.toThrow(/is refused/);
  });

  it('is told with its progress, and ends once', async () => {
    const made = await store.switchTo(switchRequest(1, 'PERFORMANCE'));
    const id = made?.id ?? 0;
    const mirror = { phase: 'mirror', startedAtMs: 2_000, endedAtMs: null, note: null } as const;
    const waitsFor = { events: 3, grants: 2, epochs: 1, deadlineMs: 5_000 };
    const progress = { phases: [PREFLIGHT, mirror], waitsFor };
    expect(await store.report(id, 'node-2', progress)).toBe(false);
    expect(await store.report(id, 'node-1', progress)).toBe(true);
    expect(await store.history(10)).toMatchObject([{ id, state: 'running', ...progress }]);
    const phases = [PREFLIGHT, { ...mirror, endedAtMs: 3_000 }];
    expect(await store.finish(id, 'node-2', phases)).toBe(false);
    expect(await store.finish(id, 'node-1', phases)).toBe(true);
    expect(await store.finish(id, 'node-1', phases)).toBe(false);
    expect(await store.report(id, 'node-1', progress)).toBe(false);
    const [done] = await store.history(10);
    expect(done).toMatchObject({ state: 'done', phases, waitsFor: null });
    expect(done?.endedAtMs).toBeGreaterThanOrEqual(done?.startedAtMs ?? Infinity);
    expect((await store.read()).runningSwitch).toBeNull();
  });

  it('ends as aborted when the next one begins, or when somebody says so', async () => {
    const first = await store.switchTo(switchRequest(1, 'PERFORMANCE'));
    const second = await store.switchTo(switchRequest(2, 'DRAIN'));
    expect(await store.finish(first?.id ?? 0, 'node-1', [])).toBe(false);
    expect(await store.abort('operator', 'waits for too long')).toMatchObject({
      id: second?.id,
      state: 'aborted',
    });
    expect(await store.abort('operator', 'again')).toBeNull();
    expect((await store.read()).mode).toBe('DRAIN');
    expect(await audited('mode.abort')).toMatchObject([
      { actor: 'operator', subject: 'DRAIN', reason: 'waits for too long' },
    ]);
    const history = await store.history(10);
    expect(history.map(({ to, state }) => [to, state])).toEqual([
      ['DRAIN', 'aborted'],
      ['PERFORMANCE', 'aborted'],
    ]);
    expect(await store.history(10, second?.id)).toMatchObject([{ id: first?.id }]);
    expect(await store.history(1)).toMatchObject([{ id: second?.id }]);
  });

  it('L5: is gone on with by its runner, and by one other node when that is silent', async () => {
    const made = await store.switchTo(switchRequest(1, 'PERFORMANCE'));
    expect(await store.claimRunning('node-1', 5_000)).toMatchObject({ id: made?.id });
    expect(await store.claimRunning('node-2', 5_000)).toBeNull();
    await query(`UPDATE mode_switch SET heartbeat_at = heartbeat_at - interval '6 s'`);
    const claims = await Promise.all(
      ['node-2', 'node-3', 'node-4'].map((node) => store.claimRunning(node, 5_000)),
    );
    expect(claims.filter((claim) => claim !== null)).toHaveLength(1);
    expect(await store.report(made?.id ?? 0, 'node-1', { phases: [], waitsFor: null })).toBe(false);
    await store.abort('operator', 'over');
    expect(await store.claimRunning('node-2', 0)).toBeNull();
  });
});

describe('operators', () => {
  it('pin single submitters to a mode and let them go, audited', async () => {
    const bench = new FastEpochBench(fixture);
    const submitter = await bench.opened();
    expect(await store.pin(newSubmitter(), 'RELIABLE', 'operator')).toBe(false);
    expect(await store.pin(submitter, 'DUAL_WRITE', 'operator')).toBe(true);
    const another = new PostgresModeStore(fixture.runner);
    for (const reader of [store, another, another, store]) {
      expect((await reader.read()).pins).toEqual(new Map([[submitter, 'DUAL_WRITE']]));
    }
    await expect(query(`UPDATE submitter_nonce_state SET pinned_mode = 'DRAIN'`)).rejects.toThrow(
      /violates check constraint/,
    );
    expect(await store.pin(submitter, null, 'operator')).toBe(true);
    for (const reader of [store, another]) expect((await reader.read()).pins.size).toBe(0);
    expect(await audited('mode.pin')).toMatchObject([
      { actor: 'operator', subject: submitter, detail: { from: null, to: 'DUAL_WRITE' } },
      { actor: 'operator', subject: submitter, detail: { from: 'DUAL_WRITE', to: null } },
    ]);
  });

  it('pin no more than every node can read again and again', async () => {
    const bench = new FastEpochBench(fixture);
    const few = new PostgresModeStore(fixture.runner, 1);
    const [first, second] = [await bench.opened(), await bench.opened()];
    await few.pin(first, 'RELIABLE', 'operator');
    await expect(few.pin(second, 'RELIABLE', 'operator')).rejects.toMatchObject({
      code: 'NONCE_VALIDATION',
    });
    expect(await few.pin(first, 'DUAL_WRITE', 'operator')).toBe(true);
  });

  it('tune the prefetched ranges of all nodes, audited', async () => {
    const tuned = { size: 64, lowWater: 16, max: 512 };
    await store.tunePrefetch(tuned, 'operator', 'a burst');
    expect(await store.read()).toMatchObject({ epoch: 1, prefetch: tuned });
    expect(await audited('prefetch.tune')).toMatchObject([
      { actor: 'operator', reason: 'a burst', detail: { from: { size: null }, to: tuned } },
    ]);
  });
});

it('L5: after a loss the mode goes on above every mark that a fast store may bear, and once', async () => {
  await switchTo(store, 'PERFORMANCE');
  const submitter = await new FastEpochBench(fixture).opened();
  const recover = (lostAt: string | null) =>
    query(
      `SELECT recover_submitters(server_started_at(), ARRAY[$1], ARRAY[1], ARRAY[0], $2, 'test',
         30000, 'replacement', 10)`,
      [submitter, lostAt],
    );
  await recover(null);
  expect(await store.read()).toMatchObject({ mode: 'PERFORMANCE', epoch: 2 });
  const lostAtMs = Date.now();
  for (let i = 0; i < 2; i += 1) await recover(`${lostAtMs}000`);
  const { epoch } = await store.read();
  expect(epoch).toBe(Math.floor(lostAtMs / 1_000));
  expect((await switchTo(store, 'DRAIN')).epoch).toBe(epoch + 1);
});

describe('a submitter', () => {
  it('S9: is entered or taken over as the mode and its pin say, and never by who knows another epoch', async () => {
    const bench = new FastEpochBench(fixture);
    const path = [
      'PERFORMANCE',
      'DRAIN',
      'PERFORMANCE',
      'DEGRADED',
      'RELIABLE',
      'DUAL_WRITE',
    ] as const;
    const pins = [null, ...LASTING_MODES];
    await switchTo(store, 'PERFORMANCE');
    const cases = await Promise.all(
      path.flatMap((mode, step) =>
        pins.map(async (pin) => {
          const submitter = await bench.opened();
          const { view } = await bench.enter(submitter, { modeEpoch: 2 });
          await store.pin(submitter, pin, 'operator');
          return { mode, step, pin, submitter, ending: { epoch: view.epoch, retiredNext: 0 } };
        }),
      ),
    );
    for (const [step, mode] of path.entries()) {
      if (step > 0) await switchTo(store, mode);
      const modeEpoch = step + 2;
      for (const each of cases.filter((candidate) => candidate.step === step)) {
        const isFast = engineOf(mode, each.pin) === 'performance';
        const asked = `${mode}, pinned ${String(each.pin)}`;
        const behind = await bench.ask(each.submitter, { modeEpoch: modeEpoch - 1 });
        const entered = await bench.ask(each.submitter, { modeEpoch });
        expect([asked, behind?.kind, entered?.kind]).toEqual([
          asked,
          'mode',
          isFast ? 'epoch' : 'mode',
        ]);
        const take = (epoch: number) => bench.takeOver(each.submitter, each.ending, epoch);
        const taken = [await take(modeEpoch - 1), await take(modeEpoch)];
        expect([asked, ...taken]).toEqual([asked, 'mode', isFast ? 'mode' : 'taken']);
      }
    }
  });

  it('of programs of before there were modes is entered where none was set, or the mode entitles', async () => {
    const bench = new FastEpochBench(fixture);
    const submitter = await bench.opened();
    const asBefore = async () => {
      const [row] = await query<{ kind: string }>(
        `SELECT kind FROM enter_fast_epochs(ARRAY[$1], ARRAY['redis-1'], ARRAY[NULL::bigint],
           ARRAY[32], ARRAY[0], ARRAY['test'], 'strict', 256, 30000, 'replacement')`,
        [submitter],
      );
      return row?.kind;
    };
    expect(await asBefore()).toBe('mode');
    await switchTo(store, 'PERFORMANCE');
    expect(await asBefore()).toBe('epoch');
    await fixture.close();
    fixture = await openStore(null);
    await fixture.store.open(baselineOf(submitter));
    expect(await asBefore()).toBe('epoch');
  });
});
