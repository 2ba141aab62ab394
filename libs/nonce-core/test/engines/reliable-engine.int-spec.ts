import type { AllocationStage } from '../../src/domain/allocation-state';
import { NonceError } from '../../src/domain/errors/nonce-error';
import type { Nonce } from '../../src/domain/nonce';
import { ReliableEngine } from '../../src/engines/reliable/reliable-engine';
import type { ReliableEngineOptions } from '../../src/engines/reliable/reliable-options';
import type { AllocateBatch, AllocationStore } from '../../src/ports/allocation-store.port';
import type { BaselineSource } from '../../src/ports/baseline.port';
import type { NonceEventMap } from '../../src/ports/events.port';
import type { Metrics } from '../../src/ports/metrics.port';
import { PostgresSubmitterStore } from '../../src/postgres/postgres-submitter-store';
import { contractWorld } from '../../src/testing';
import { ALWAYS_GRANTED, SYSTEM_CLOCK } from '../contract/postgres-subject';
import { newSubmitter, openStore, type StoreFixture } from '../support/store-fixture';

type Transition = NonceEventMap['allocation.transition'];

const UNCONFIGURED_CHAIN_ID = 424_242;
const TX_HASH = `0x${'cd'.repeat(32)}` as const;

describe('the reliable engine on Postgres', () => {
  let fixture: StoreFixture;

  beforeAll(async () => {
    fixture = await openStore();
  });

  afterAll(async () => {
    await fixture.close();
  });

  /** An engine whose way to the store a test may disturb. */
  function node(
    disturb: (store: AllocationStore) => Partial<AllocationStore> = () => ({}),
    options: Partial<ReliableEngineOptions> & { readonly baseline?: BaselineSource } = {},
  ) {
    const world = contractWorld();
    const counted: string[] = [];
    const events: Transition[] = [];
    const { store: real } = fixture;
    const store: AllocationStore = {
      allocate: (batch) => real.allocate(batch),
      command: (...parameters) => real.command(...parameters),
      open: (baseline) => real.open(baseline),
      findById: (id) => real.findById(id),
      ...disturb(real),
    };
    const metrics: Metrics = {
      count: (name, labels) => void counted.push([name, ...Object.values(labels)].join(' ')),
      set: () => undefined,
      observe: () => undefined,
    };
    const { baseline = world.baseline, ...engineOptions } = options;
    const engine = new ReliableEngine(
      {
        store,
        submitters: new PostgresSubmitterStore(fixture.runner),
        baseline,
        chains: world.chains,
        locks: ALWAYS_GRANTED,
        clock: SYSTEM_CLOCK,
        metrics,
        events: {
          publish: (name, payload) => {
            if (name === 'allocation.transition') events.push(payload as Transition);
          },
        },
      },
      { quarantine: world.quarantine, retry: { attempts: 3, backoffMs: 1 }, ...engineOptions },
    );
    return { engine, counted, events };
  }

  const wish = (submitter = newSubmitter(UNCONFIGURED_CHAIN_ID)) => ({
    submitter,
    count: 1,
    ttlMs: 60_000,
    exposure: 'declared' as const,
  });

  const unavailable = (): NonceError => new NonceError('NONCE_STORE_UNAVAILABLE');

  async function noncesOf(submitter: string): Promise<number[]> {
    const { rows } = await fixture.database.pool.query<{ nonce: string }>(
      'SELECT nonce FROM submitter_nonce_allocation WHERE submitter = $1 ORDER BY nonce',
      [submitter],
    );
    return rows.map((row) => Number(row.nonce));
  }

  it('K1, I-34: a grant whose reply is lost is found again by its tokens, and no nonce is spent twice', async () => {
    let lost = 0;
    const { engine } = node((real) => ({
      allocate: async (batch) => {
        const answers = await real.allocate(batch);
        if (lost >= 2 || answers.some((answer) => answer.kind === 'absent')) return answers;
        lost += 1;
        throw unavailable();
      },
    }));
    const one = wish();
    const grants = await Promise.all(Array.from({ length: 20 }, () => engine.allocate(one)));
    const nonces = grants.map((grant) => grant.allocations[0]?.nonce as number);
    expect(lost).toBe(2);
    expect(grants.some((grant) => grant.replayed)).toBe(false);
    expect(nonces.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(await noncesOf(one.submitter)).toHaveLength(20);
  });

  it('K1, H-18: a batch that is halved after a lost reply still finds what the first try granted', async () => {
    const failures = [unavailable(), new Error('a bad row')];
    const { engine } = node((real) => ({
      allocate: async (batch) => {
        const answers = await real.allocate(batch);
        if (answers.some((answer) => answer.kind === 'absent')) return answers;
        const failure = failures.shift();
        if (failure !== undefined) throw failure;
        return answers;
      },
    }));
    const one = wish();
    const grants = await Promise.all(Array.from({ length: 8 }, () => engine.allocate(one)));
    expect(grants.flatMap((grant) => grant.allocations)).toHaveLength(8);
    expect(await noncesOf(one.submitter)).toHaveLength(8);
  });

  it('K1: a store that stays away is asked a bounded number of times, with the same tokens', async () => {
    const batches: AllocateBatch[] = [];
    const { engine } = node(() => ({
      allocate: (batch) => {
        batches.push(batch);
        return Promise.reject(unavailable());
      },
    }));
    await expect(engine.allocate(wish())).rejects.toMatchObject({
      code: 'NONCE_STORE_UNAVAILABLE',
    });
    expect(batches.map((batch) => batch.retry)).toEqual([false, true, true]);
    expect(new Set(batches.flatMap((batch) => batch.rows[0]?.ids)).size).toBe(1);
  });

  it('H-8: an intent whose reply is lost is repeated with the same hash and is one intent', async () => {
    let lost = 0;
    const { engine } = node((real) => ({
      command: async (...parameters) => {
        const answers = await real.command(...parameters);
        if (lost >= 2) return answers;
        lost += 1;
        throw unavailable();
      },
    }));
    const [held] = (await engine.allocate({ ...wish(), operationId: 'pay' })).allocations;
    if (held === undefined) throw new Error('nothing granted');
    const answer = await engine.intent(held, { txHash: TX_HASH });
    expect(answer).toMatchObject({ changed: false, allocation: { stage: 'INTENT' } });
    expect(answer.allocation.hashes).toEqual([TX_HASH]);
  });

  it('H-18: one bad row among 64 fails alone, and the other 63 are granted', async () => {
    const { engine } = node();
    const one = wish();
    await engine.allocate(one);
    // Postgres stores no NUL inside JSON: the statement as a whole fails because of this row.
    const bad = engine.allocate({ ...one, metadata: { text: 'NUL \0' } });
    const good = Promise.all(Array.from({ length: 63 }, () => engine.allocate(one)));
    await expect(bad).rejects.toThrow(/NUL|unicode|\\u0000/i);
    expect(
      (await good).map((grant) => grant.allocations[0]?.nonce as number).sort((a, b) => a - b),
    ).toEqual(Array.from({ length: 63 }, (_, i) => i + 1));
  });

  it('H-18: a submitter locked elsewhere delays nobody else, and its callers keep their order', async () => {
    const { engine } = node();
    const [locked, ...free] = Array.from({ length: 64 }, () => wish());
    if (locked === undefined) throw new Error('no wishes');
    await Promise.all([locked, ...free].map((one) => engine.allocate(one)));
    const blocker = await fixture.database.pool.connect();
    try {
      await blocker.query('BEGIN');
      await blocker.query('SELECT 1 FROM submitter_nonce_state WHERE submitter = $1 FOR UPDATE', [
        locked.submitter,
      ]);
      const waiting = [engine.allocate(locked), engine.allocate(locked)];
      await Promise.all(free.map((one) => engine.allocate(one)));
      const third = engine.allocate(locked);
      await Promise.all(free.map((one) => engine.allocate(one)));
      await blocker.query('COMMIT');
      const grants = await Promise.all([...waiting, third]);
      expect(grants.map((grant) => grant.allocations[0]?.nonce)).toEqual([1, 2, 3]);
    } finally {
      blocker.release();
    }
  });

  it('opens a new submitter once, however many callers meet it at the same time', async () => {
    const world = contractWorld();
    let resolved = 0;
    const { engine } = node(() => ({}), {
      baseline: {
        resolve: (submitter, startNonce) => {
          resolved += 1;
          return world.baseline.resolve(submitter, startNonce);
        },
      },
    });
    const one = { ...wish(), startNonce: 41 as Nonce };
    const grants = await Promise.all(Array.from({ length: 50 }, () => engine.allocate(one)));
    expect(resolved).toBe(1);
    expect(grants.map((grant) => grant.allocations[0]?.nonce as number)).toEqual(
      Array.from({ length: 50 }, (_, i) => 41 + i),
    );
  });

  it('gives the callers of a new submitter the reason why it cannot be opened, and tries again later', async () => {
    let away = true;
    const world = contractWorld();
    const { engine } = node(() => ({}), {
      baseline: {
        resolve: (submitter, startNonce) =>
          away
            ? Promise.reject(new NonceError('NONCE_CHAIN_UNREACHABLE'))
            : world.baseline.resolve(submitter, startNonce),
      },
    });
    const one = wish();
    const calls = await Promise.allSettled([engine.allocate(one), engine.allocate(one)]);
    expect(calls).toMatchObject([
      { status: 'rejected', reason: { code: 'NONCE_CHAIN_UNREACHABLE' } },
      { status: 'rejected', reason: { code: 'NONCE_CHAIN_UNREACHABLE' } },
    ]);
    away = false;
    expect((await engine.allocate(one)).allocations[0]?.nonce).toBe(0);
  });

  it('settles inside the transaction of its caller, and is undone with it', async () => {
    const { engine } = node();
    const held = (await engine.allocate({ ...wish(), count: 2 })).allocations;
    const [a, b] = held;
    if (a === undefined || b === undefined) throw new Error('nothing granted');
    const runner = fixture.source.createQueryRunner();
    await runner.startTransaction();
    await engine.markUsed(a, {}, runner.manager);
    await engine.markSubmitted(b, { txHash: TX_HASH }, runner.manager);
    await runner.rollbackTransaction();
    await runner.release();
    const stages = await Promise.all(held.map(({ id }) => fixture.store.findById(id)));
    expect(stages.map((allocation) => allocation?.stage)).toEqual(['GRANTED', 'GRANTED']);
  });

  it('follows a hash that is reported with nothing but the id of the allocation', async () => {
    const { engine } = node();
    const followed = (await engine.allocate(wish(newSubmitter()))).allocations[0];
    const plain = (await engine.allocate(wish())).allocations[0];
    if (followed === undefined || plain === undefined) throw new Error('nothing granted');
    const onChain = await engine.markUsed({ id: followed.id }, { txHash: TX_HASH });
    const elsewhere = await engine.markUsed({ id: plain.id }, { txHash: TX_HASH });
    expect([onChain, elsewhere].map(({ allocation }) => allocation.stage)).toEqual([
      'BROADCAST',
      'ASSERTED',
    ]);
  });

  it('counts and publishes each grant and move once, after it is durable', async () => {
    const { engine, counted, events } = node();
    const one = wish();
    const [first] = (await engine.allocate({ ...one, operationId: 'pay' })).allocations;
    if (first === undefined) throw new Error('nothing granted');
    await engine.allocate({ ...one, operationId: 'pay' });
    await engine.heartbeat(first, { ttlMs: 5_000 });
    await engine.markRecyclable(first, { reason: 'never sent' });
    await engine.markRecyclable(first, { reason: 'never sent' });
    await engine.allocate(one);
    const moves: [AllocationStage | null, AllocationStage, string][] = events.map((event) => [
      event.from,
      event.to,
      event.cause,
    ]);
    expect(moves[0]).toEqual([null, 'GRANTED', 'allocate']);
    expect(moves[1]?.slice(1)).toEqual(['REUSABLE', 'recyclable']);
    expect(moves[2]).toEqual(['REUSABLE', 'GRANTED', 'allocate']);
    expect(moves).toHaveLength(3);
    const grants = counted.filter((line) => line.startsWith('nonce_allocations_total'));
    expect(grants).toEqual([
      'nonce_allocations_total reliable fresh granted',
      'nonce_allocations_total reliable none replayed',
      'nonce_allocations_total reliable recycled granted',
    ]);
  });

  it('answers what it accepted when it stops, and writes nothing for what it refuses', async () => {
    const { engine } = node();
    const one = wish();
    await engine.allocate(one);
    const accepted = Array.from({ length: 30 }, () => engine.allocate(one));
    const stopped = engine.stop(5_000);
    await expect(engine.allocate(one)).rejects.toMatchObject({ code: 'NONCE_BACKPRESSURE' });
    await Promise.all([...accepted, stopped]);
    expect(await noncesOf(one.submitter)).toHaveLength(31);
  });
});
