import type { Allocation } from '../../src/domain/allocation';
import { NonceError } from '../../src/domain/errors/nonce-error';
import type { Submitter } from '../../src/domain/submitter';
import type { PerformanceEngine } from '../../src/engines/performance/performance-engine';
import type { AllocateCommand } from '../../src/ports/engine.port';
import { INTENT_POLICIES } from '../../src/ports/fast-epoch-store.port';
import type { FastStore, FastView } from '../../src/ports/fast-store.port';
import { NO_METRICS, type Metrics } from '../../src/ports/metrics.port';
import type { Witness } from '../../src/ports/witness.port';
import { PLAIN_CHAIN_ID } from '../../src/testing/contract/contract-world';
import { openFastFixture, type FastFixture } from '../support/fast-fixture';
import { hashOf, newSubmitter } from '../support/store-fixture';
import { waitFor } from '../support/wait-for';

let fixture: FastFixture;
const engines: PerformanceEngine[] = [];

beforeAll(async () => {
  fixture = await openFastFixture({ engine: { maxInFlight: 0 } });
});
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.stop(5_000)));
});
afterAll(() => fixture.close());

function node(...parameters: Parameters<FastFixture['node']>): PerformanceEngine {
  const engine = fixture.node(...parameters);
  engines.push(engine);
  return engine;
}

const plain = () => newSubmitter(PLAIN_CHAIN_ID);

async function one(
  engine: PerformanceEngine,
  submitter: Submitter,
  wish: Partial<AllocateCommand> = {},
): Promise<Allocation> {
  const command = { submitter, count: 1, ttlMs: 60_000, exposure: 'declared', ...wish } as const;
  const [allocation] = (await engine.allocate(command)).allocations;
  if (allocation === undefined) throw new Error('a grant without an allocation');
  return allocation;
}

async function nonces(engine: PerformanceEngine, submitter: Submitter, count: number) {
  const granted: number[] = [];
  for (let i = 0; i < count; i += 1) granted.push((await one(engine, submitter)).nonce);
  return granted;
}

const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);

const stateOf = async (submitter: Submitter) => {
  const view = await fixture.submitters.view(submitter, 0);
  if (view === null) throw new Error('no such submitter');
  return view;
};

const viewOf = async (submitter: Submitter): Promise<FastView> => {
  const incarnation = await fixture.fast.store.incarnationOf(submitter);
  return { submitter, epoch: (await stateOf(submitter)).epoch, incarnation };
};

/** Counts what the engine reports under one name. */
function countingMetrics(counted: string): {
  readonly metrics: Metrics;
  readonly count: () => number;
} {
  let count = 0;
  const metrics: Metrics = {
    ...NO_METRICS,
    count: (name) => {
      if (name === counted) count += 1;
    },
  };
  return { metrics, count: () => count };
}

/** The fast store, with some of its methods replaced. */
function storeWith(replaced: (store: FastStore) => Partial<FastStore>): FastStore {
  const { store } = fixture.fast;
  const own = replaced(store);
  return new Proxy(store, {
    get: (target, name) => {
      const value = (Reflect.get(own, name) ?? Reflect.get(target, name)) as unknown;
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Runs, and then the answer is lost on its way; the first `times` times. */
function losing<Rows extends readonly unknown[], Answer>(
  run: (rows: Rows) => Promise<readonly Answer[]>,
  times: number,
): (rows: Rows) => Promise<readonly (Answer | Error)[]> {
  let left = times;
  return async (rows) => {
    const answers = await run(rows);
    if (left === 0) return answers;
    left -= 1;
    return answers.map(() => new NonceError('NONCE_STORE_UNAVAILABLE'));
  };
}

describe('nonces fetched ahead', () => {
  const prefetch = { size: 8, lowWater: 4, max: 8, idleCloseMs: 60_000 };

  it('are fetched before the last one is used, so that nobody waits for them', async () => {
    const { metrics, count } = countingMetrics('nonce_prefetch_exhausted_total');
    const engine = node({ prefetch }, { metrics });
    const submitter = plain();
    expect(await nonces(engine, submitter, 4)).toEqual(range(0, 4));
    expect((await stateOf(submitter)).ceiling).toBe(8);
    await one(engine, submitter);
    await waitFor(async () => (await stateOf(submitter)).ceiling === 16, {
      describe: 'a ceiling raised in the background',
    });
    expect(count()).toBe(0);
  });

  it('are waited for when they are used up, which is counted, and a block takes as many as it needs', async () => {
    const { metrics, count } = countingMetrics('nonce_prefetch_exhausted_total');
    const engine = node({ prefetch: { ...prefetch, lowWater: 0 } }, { metrics });
    const submitter = plain();
    const block = await engine.allocate({
      submitter,
      count: 200,
      ttlMs: 60_000,
      exposure: 'declared',
    });
    expect(block.allocations.map(({ nonce }) => nonce)).toEqual(range(0, 200));
    expect(count()).toBe(1);
  });

  it.each(INTENT_POLICIES)(
    'go back when the epoch is idle: no gap, no quarantine (%s)',
    async (intents) => {
      const engine = node({ intents, prefetch: { ...prefetch, idleCloseMs: 1 } });
      const submitter = plain();
      const held = await one(engine, submitter);
      expect(await engine.closeIdle()).toBe(0);
      const { epoch } = await stateOf(submitter);
      await engine.markUsed(held, {});
      await fixture.flush(submitter);
      await waitFor(async () => (await engine.closeIdle()) > 0, {
        describe: 'an idle epoch that is closed',
      });
      expect((await stateOf(submitter)).epoch).toBe(epoch + 1);
      expect(await nonces(engine, submitter, 10)).toEqual(range(1, 10));
      await fixture.flush(submitter);
      const rows = await fixture.submitters.nonces({ submitter, limit: 100 });
      expect(rows.filter(({ stage }) => stage === 'QUARANTINED')).toEqual([]);
    },
  );

  it('S1: do not go back while Postgres has not heard of a nonce that was used', async () => {
    const engine = node({ intents: 'relaxed', prefetch: { ...prefetch, idleCloseMs: 1 } });
    const submitter = plain();
    await engine.markUsed(await one(engine, submitter), {});
    const view = await viewOf(submitter);
    expect(await fixture.fast.store.retire(view, 0)).toBeNull();
    await fixture.flush(submitter);
    expect(await fixture.fast.store.retire(view, 0)).toEqual({ next: 1 });
  });
});

describe('answers that get lost', () => {
  it('K1: an allocation whose reply was lost is asked for again and found', async () => {
    const fast = storeWith((store) => ({ allocate: losing((rows) => store.allocate(rows), 1) }));
    const submitter = plain();
    await one(node(), submitter);
    const engine = node({}, { fast });
    expect(await nonces(engine, submitter, 3)).toEqual([1, 2, 3]);
  });

  it('K1: two lost replies in a row are NONCE_STORE_UNAVAILABLE', async () => {
    const fast = storeWith((store) => ({ allocate: losing((rows) => store.allocate(rows), 2) }));
    const engine = node({}, { fast });
    const submitter = plain();
    await expect(one(engine, submitter)).rejects.toMatchObject({ code: 'NONCE_STORE_UNAVAILABLE' });
    expect((await one(engine, submitter)).nonce).toBe(1);
  });

  it.each(INTENT_POLICIES)(
    'S8: an epoch whose opening was not answered is never used (%s)',
    async (intents) => {
      const fast = storeWith((store) => ({ open: losing((rows) => store.open(rows), 1) }));
      const submitter = plain();
      await fixture.store.open({
        ...(await fixture.world.baseline.resolve(submitter)),
        engine: 'reliable',
      });
      const { epoch } = await stateOf(submitter);
      const allocation = await one(node({ intents }, { fast }), submitter);
      // One to end it, one to enter.
      expect(allocation.epoch).toBe(epoch + 3);
    },
  );

  it('S8: an epoch whose refill was not answered is never used again', async () => {
    const fast = storeWith((store) => ({ refill: losing((rows) => store.refill(rows), 1) }));
    const prefetch = { size: 4, lowWater: 0, max: 4, idleCloseMs: 60_000 };
    const engine = node({ prefetch }, { fast });
    const submitter = plain();
    const { epoch } = await one(engine, submitter);
    await nonces(engine, submitter, 3);
    expect((await one(engine, submitter)).epoch).toBe(epoch + 2);
  });
});

describe('witnesses', () => {
  it('S9: are kept before an epoch is opened and before a raised ceiling is used', async () => {
    const said: string[] = [];
    const fast = storeWith((store) => ({
      open: (rows) => {
        said.push(`open ${rows[0]?.ceiling}`);
        return store.open(rows);
      },
      refill: (rows) => {
        said.push(`refill ${rows[0]?.ceiling}`);
        return store.refill(rows);
      },
    }));
    const keep = async (witnesses: readonly Witness[]): Promise<void> => {
      said.push(`keep ${witnesses[0]?.ceiling}`);
      return Promise.resolve();
    };
    const prefetch = { size: 4, lowWater: 0, max: 4, idleCloseMs: 60_000 };
    const engine = node({ prefetch }, { fast, continuity: { keep } });
    const submitter = plain();
    await nonces(engine, submitter, 5);
    expect(said).toEqual(['keep 4', 'open 4', 'keep 8', 'refill 8']);
  });

  it('S9: that cannot be kept leave the ceiling unused', async () => {
    const unkept = new NonceError('NONCE_STORE_UNAVAILABLE');
    const engine = node({}, { continuity: { keep: () => Promise.reject(unkept) } });
    const submitter = plain();
    await expect(one(engine, submitter)).rejects.toMatchObject({ code: 'NONCE_STORE_UNAVAILABLE' });
    expect((await one(node(), submitter)).nonce).toBe(0);
  });
});

describe('many submitters', () => {
  it('H-16: enter their epochs by a few statements', async () => {
    const sizes: number[] = [];
    const { epochs } = fixture;
    const enter: typeof epochs.enter = (requests, intents, modeEpoch) => {
      sizes.push(requests.length);
      return epochs.enter(requests, intents, modeEpoch);
    };
    const counting = new Proxy(epochs, {
      get: (target, name) => {
        const value = name === 'enter' ? enter : (Reflect.get(target, name) as unknown);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    const submitters = Array.from({ length: 200 }, plain);
    const first = node();
    await Promise.all(submitters.map((each) => one(first, each)));
    const engine = node({}, { epochs: counting });
    const second = await Promise.all(submitters.map((each) => one(engine, each)));
    expect(second.map(({ nonce }) => nonce)).toEqual(submitters.map(() => 1));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(64);
    expect(sizes.length).toBeLessThanOrEqual(8);
  });
});

describe.each(INTENT_POLICIES)('holders under %s intents', (intents) => {
  it('may name their allocation by its id alone, on the node that granted it', async () => {
    const engine = node({ intents });
    const submitter = plain();
    const held = await Promise.all([1, 2, 3].map(() => one(engine, submitter)));
    const [a, b, c] = held.map(({ id }) => ({ id })) as [
      { id: string },
      { id: string },
      { id: string },
    ];
    await expect(engine.heartbeat(a, { ttlMs: 30_000 })).resolves.toMatchObject({ changed: true });
    await expect(engine.intent(a, { txHash: hashOf(1) })).resolves.toMatchObject({
      allocation: { stage: 'INTENT' },
    });
    await engine.markRecyclable(b, { reason: 'never sent' });
    await engine.markUsed(c, {});
    expect((await one(engine, submitter)).nonce).toBe(held[1]?.nonce);
  });

  it('may settle within a transaction of their own, and nothing of it stays when it is rolled back', async () => {
    const engine = node({ intents });
    const submitter = plain();
    const held = await one(engine, submitter);
    const runner = fixture.source.createQueryRunner();
    await runner.startTransaction();
    await engine.markUsed(held, {}, runner.manager);
    await runner.rollbackTransaction();
    await fixture.flush(submitter);
    const rows = () => fixture.submitters.nonces({ submitter, limit: 10 });
    expect(await rows()).toMatchObject([{ stage: 'GRANTED', id: held.id }]);
    await runner.startTransaction();
    await engine.markUsed(held, {}, runner.manager);
    await runner.commitTransaction();
    await runner.release();
    expect(await rows()).toMatchObject([{ stage: 'ASSERTED', id: held.id }]);
    expect((await one(engine, submitter)).nonce).toBe(1);
  });
});
