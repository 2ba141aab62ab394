import { NonceError } from '../../src/domain/errors/nonce-error';
import type { Reconciliation } from '../../src/domain/reconciliation';
import type { Submitter } from '../../src/domain/submitter';
import { submitterParts } from '../../src/domain/submitter';
import { SystemClock } from '../../src/module/system-clock';
import { NO_METRICS } from '../../src/ports/metrics.port';
import { PostgresAccessStore } from '../../src/postgres/postgres-access-store';
import { PostgresReconciliationStore } from '../../src/postgres/postgres-reconciliation-store';
import { FullReconcile, type FullReconcileDeps } from '../../src/recovery/full-reconcile';
import { baselineOf, newSubmitter } from '../support/store-fixture';
import { TrackingBench } from '../tracking/tracking-bench';

const SUBMITTERS = 7;
const FINALITY_DEPTH = 6;
const ORDER = { scope: 'all', dryRun: false, actor: 'alice', reason: 'a restore' } as const;

let bench: TrackingBench;
let store: PostgresReconciliationStore;
let all: readonly Submitter[];
beforeEach(async () => {
  bench = await TrackingBench.open({ finalityDepth: FINALITY_DEPTH });
  store = new PostgresReconciliationStore(bench.fixture.runner);
  const others = Array.from({ length: SUBMITTERS - 1 }, () => newSubmitter(bench.chain.chainId));
  const genesisHash = await bench.chain.genesisHash();
  for (const submitter of others) {
    await bench.fixture.store.open(baselineOf(submitter, { chainLatestCount: 0, genesisHash }));
  }
  all = [bench.submitter, ...others].sort();
});
afterEach(() => bench.close());

/** Another call is another process, which knows nothing of the first. */
function worker(deps: Partial<FullReconcileDeps> = {}, silentMs = 60_000): FullReconcile {
  const { alignment, chains } = bench;
  const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore };
  return new FullReconcile(
    {
      ...{ store, alignment, chains, witnesses: null, clock: new SystemClock() },
      audit: new PostgresAccessStore(bench.fixture.runner),
      metrics: NO_METRICS,
      logger: silent,
      ...deps,
    },
    { pageSize: 2, silentMs },
  );
}

function ignore(): void {
  // The report is what is looked at.
}

async function foreignUse(submitter: Submitter, count: number): Promise<void> {
  const { address } = submitterParts(submitter);
  for (let nonce = 0; nonce < count; nonce += 1) {
    const foreign = { from: address, nonce, payload: `${submitter} ${nonce}`, feePerGas: 1 };
    await bench.chain.send(bench.chain.sign(foreign).rawTx);
  }
  bench.chain.mine();
}

async function floors(): Promise<readonly number[]> {
  const pages = await store.page({ behind: '', scope: 'all', limit: 100 });
  return pages.map(({ latest }) => latest ?? 0);
}

const failing = (broken: Submitter, code = 'NONCE_CHAIN_UNREACHABLE') => ({
  foresee: bench.alignment.foresee.bind(bench.alignment),
  alignWithChain: async (submitter: Submitter) => {
    if (submitter === broken) throw new NonceError(code as never);
    return bench.alignment.alignWithChain(submitter);
  },
});

it('says in a dry run what it would mend and changes nothing, then mends it and says the same', async () => {
  await foreignUse(all[1] as Submitter, 3);
  await foreignUse(all[6] as Submitter, 2);
  const before = await floors();
  const dry = await worker().reconcile({ ...ORDER, dryRun: true });
  expect(dry).toMatchObject({ state: 'done', dryRun: true, total: SUBMITTERS });
  expect(dry.counts).toMatchObject({ submitters: SUBMITTERS, raised: 2, foreignUse: 5, failed: 0 });
  expect(await floors()).toEqual(before);
  const real = await worker().reconcile(ORDER);
  expect(real.counts).toEqual(dry.counts);
  expect(await floors()).toEqual([0, 3, 0, 0, 0, 0, 2]);
  const again = await worker().reconcile(ORDER);
  expect(again.counts).toMatchObject({ submitters: SUBMITTERS, raised: 0, foreignUse: 0 });
});

it('L9: foresees which holders are fenced and which need a decision, and takes nothing from them', async () => {
  await bench.grant(2, { exposure: 'declared' });
  await bench.grant(1, { exposure: 'assumed' });
  await foreignUse(bench.submitter, 5);
  bench.chain.mineEmpty(FINALITY_DEPTH + 1);
  const stages = () => Promise.all([0, 1, 2].map((nonce) => bench.stage(nonce)));
  const dry = await worker().reconcile({ ...ORDER, dryRun: true });
  expect(dry.counts).toMatchObject({ raised: 1, foreignUse: 2, fenced: 2, stuck: 1 });
  expect(await stages()).toEqual(['GRANTED', 'GRANTED', 'GRANTED']);
  const real = await worker().reconcile(ORDER);
  expect(real.counts).toEqual(dry.counts);
  expect(await stages()).toEqual(['CONSUMED_EXTERNAL', 'CONSUMED_EXTERNAL', 'GRANTED']);
});

it('looks at one submitter alone, also at its witness', async () => {
  const [one, other] = all.slice(0, 2) as [Submitter, Submitter];
  await foreignUse(one, 3);
  await foreignUse(other, 3);
  const asked: unknown[] = [];
  const witnesses = {
    compareWitnesses: (dryRun: boolean, only?: Submitter) => {
      asked.push([dryRun, only]);
      return Promise.resolve({ unknown: 0, behind: 1 });
    },
  };
  for (const dryRun of [true, false]) {
    const report = await worker({ witnesses }).reconcileOne(one, dryRun);
    expect(report).toMatchObject({ dryRun, behindWitness: true, chainLatest: 3, foreignUse: 3 });
    expect((await floors()).slice(0, 2)).toEqual([dryRun ? 0 : 3, 0]);
  }
  expect(asked).toEqual([
    [true, one],
    [false, one],
  ]);
});

it('tells how far it is after each page, each time no less', async () => {
  const told: Reconciliation[] = [];
  await worker().reconcile(ORDER, { onProgress: (one) => told.push(one) });
  expect(told.map(({ counts }) => counts.submitters)).toEqual([2, 4, 6, 7]);
  expect(told.map(({ state }) => state)).toEqual(['running', 'running', 'running', 'done']);
  expect(told.at(-1)?.endedAt).toBeInstanceOf(Date);
});

it('K11: is carried on by another process where a dead one stopped, every submitter once', async () => {
  const order = await worker().begin(ORDER);
  const dying = failing(all[3] as Submitter, 'NONCE_STORE_UNAVAILABLE');
  const code = { code: 'NONCE_STORE_UNAVAILABLE' };
  await expect(worker({ alignment: dying }).tick()).rejects.toMatchObject(code);
  const left = await store.find(order.id);
  expect(left).toMatchObject({ state: 'running', cursor: all[1], counts: { submitters: 2 } });
  await worker().tick();
  expect(await store.find(order.id)).toMatchObject({ state: 'running', cursor: all[1] });
  await worker({}, 0).tick();
  expect(await store.find(order.id)).toMatchObject({
    state: 'done',
    counts: { submitters: SUBMITTERS },
  });
});

it('names submitters that fail, and goes on with the others', async () => {
  const broken = all[2] as Submitter;
  const report = await worker({ alignment: failing(broken) }).reconcile(ORDER);
  expect(report.problems).toEqual([{ submitter: broken, code: 'NONCE_CHAIN_UNREACHABLE' }]);
  expect(report).toMatchObject({ state: 'done', counts: { submitters: SUBMITTERS, failed: 1 } });
});

it('counts what lies on chains that nobody configured, and leaves it as it is', async () => {
  await bench.fixture.store.open(baselineOf(newSubmitter(5)));
  for (const dryRun of [true, false]) {
    const report = await worker().reconcile({ ...ORDER, dryRun });
    expect(report.counts).toMatchObject({ submitters: SUBMITTERS + 1, unconfigured: 1, failed: 0 });
  }
});

it('looks with `hot` only at what the chain has not consumed for good', async () => {
  await bench.grant(2);
  await bench.fixture.database.pool.query(
    'UPDATE submitter_nonce_state SET chain_finalized_count = 0 WHERE chain_finalized_count IS NULL',
  );
  const report = await worker().reconcile({ ...ORDER, scope: 'hot' });
  expect(report).toMatchObject({ state: 'done', total: 1, counts: { submitters: 1 } });
});

it('is one of its kind at a time; a dry run may look meanwhile', async () => {
  const { id } = await worker().begin(ORDER);
  const refused = { code: 'NONCE_PRECONDITION', context: { id } };
  await expect(worker().begin({ ...ORDER, scope: 'hot' })).rejects.toMatchObject(refused);
  await expect(worker().reconcile(ORDER)).rejects.toMatchObject(refused);
  expect((await worker().reconcile({ ...ORDER, dryRun: true })).state).toBe('done');
  const both = await Promise.allSettled([worker().tick(), worker().tick()]);
  expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
  expect(await store.find(id)).toMatchObject({ state: 'done', counts: { submitters: SUBMITTERS } });
});

it('stops at a signal, says that it was aborted, and makes way for the next', async () => {
  const stop = new AbortController();
  const report = await worker().reconcile(ORDER, {
    signal: stop.signal,
    onProgress: () => {
      stop.abort();
    },
  });
  expect(report).toMatchObject({ state: 'aborted', counts: { submitters: 2 } });
  expect((await worker().reconcile(ORDER)).state).toBe('done');
});

it('compares the witnesses once, at the beginning, and says who ordered it', async () => {
  const asked: boolean[] = [];
  const witnesses = {
    compareWitnesses: (dryRun: boolean) => {
      asked.push(dryRun);
      return Promise.resolve({ unknown: 1, behind: 2 });
    },
  };
  const report = await worker({ witnesses }).reconcile(ORDER);
  expect(report.counts).toMatchObject({ unknown: 1, behind: 2 });
  expect(asked).toEqual([false]);
  const { rows } = await bench.fixture.database.pool.query(
    `SELECT actor, reason, subject FROM audit WHERE action = 'reconcile'`,
  );
  expect(rows).toEqual([{ actor: 'alice', reason: 'a restore', subject: report.id }]);
});
