import { NonceError } from '../../src/domain/errors/nonce-error';
import type { Allocation, Exposure } from '../../src/domain/allocation';
import type { Nonce } from '../../src/domain/nonce';
import type { Submitter } from '../../src/domain/submitter';
import type { PerformanceEngine } from '../../src/engines/performance/performance-engine';
import type { FastEpochStore, IntentPolicy } from '../../src/ports/fast-epoch-store.port';
import { INTENT_POLICIES } from '../../src/ports/fast-epoch-store.port';
import { PostgresAlignmentStore } from '../../src/postgres/postgres-alignment-store';
import { contractWorld } from '../../src/testing';
import { PLAIN_CHAIN_ID } from '../../src/testing/contract/contract-world';
import { openFastFixture, type FastFixture } from '../support/fast-fixture';
import {
  baselineOf,
  FIRST_MODE_EPOCH,
  hashOf,
  newSubmitter,
  QUARANTINE,
} from '../support/store-fixture';

const TTL_MS = 60_000;
const NEVER_MS = 600_000;
const range = (length: number, from = 0) => Array.from({ length }, (_, index) => from + index);

let fixture: FastFixture;
const engines: PerformanceEngine[] = [];

beforeAll(async () => {
  fixture = await openFastFixture({
    world: { ...contractWorld(), quarantine: { ms: NEVER_MS, release: 'replacement' } },
    engine: { maxInFlight: 0 },
  });
});
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.stop(5_000)));
});
afterAll(() => fixture.close());

function node(intents: IntentPolicy, ports: Parameters<FastFixture['node']>[1] = {}) {
  const engine = fixture.node({ intents }, ports);
  engines.push(engine);
  return engine;
}

async function takeBlock(
  engine: PerformanceEngine,
  submitter: Submitter,
  wish: { readonly count: number; readonly exposure?: Exposure },
): Promise<readonly Allocation[]> {
  const command = { submitter, ttlMs: TTL_MS, exposure: 'declared' as const, ...wish };
  return (await engine.allocate(command)).allocations;
}

async function take(
  engine: PerformanceEngine,
  submitter: Submitter,
  exposure: Exposure = 'declared',
): Promise<Allocation> {
  const [allocation] = await takeBlock(engine, submitter, { count: 1, exposure });
  if (allocation === undefined) throw new Error('a grant without an allocation');
  return allocation;
}

async function takeMany(engine: PerformanceEngine, submitter: Submitter, count: number) {
  const taken: Allocation[] = [];
  for (let i = 0; i < count; i += 1) taken.push(await take(engine, submitter));
  return taken;
}

const newAddress = (): Submitter => newSubmitter(PLAIN_CHAIN_ID);
const noncesOf = (allocations: readonly Allocation[]) => allocations.map(({ nonce }) => nonce);
const answerOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'done',
    (error: unknown) => (error as NonceError).code,
  );

/** Everything that time does: deadlines in Redis, the flush, and what Postgres hands back. */
async function letPass(engine: PerformanceEngine, held: readonly Allocation[]): Promise<void> {
  for (const each of held) await fixture.expireInRedis(each);
  await engine.reclaimExpired(1_000);
  const [first] = held;
  if (first !== undefined) await fixture.flush(first.submitter);
  await engine.loadFree(1_000);
}

describe.each(INTENT_POLICIES)('I-07: what may be out is never recycled, %s intents', (intents) => {
  // C=5; alloc(h1)=5; [h1 is inside send]; resync recycles 5 under its owner; alloc(h2)=5
  it('S1, S3: the time of a holder that was inside its send runs out: nobody gets its nonce clean', async () => {
    const engine = node(intents);
    const submitter = newAddress();
    const sending = await take(engine, submitter, 'inferred');
    await letPass(engine, [sending]);
    const next = await takeMany(engine, submitter, 3);
    expect(noncesOf(next)).not.toContain(sending.nonce);
  });

  it('S3, S10: after an intent neither its holder nor time nor another node makes it free', async () => {
    const [engine, other] = [node(intents), node(intents)];
    const submitter = newAddress();
    const held = await take(engine, submitter);
    await engine.intent(held, { txHash: hashOf(1) });
    const refusals = [engine, other].map((each) =>
      answerOf(each.markRecyclable(held, { reason: 'error of the node' })),
    );
    expect(await Promise.all(refusals)).toEqual(['NONCE_RECYCLE_UNSAFE', 'NONCE_RECYCLE_UNSAFE']);
    await letPass(engine, [held]);
    const next = [...(await takeMany(engine, submitter, 2)), await take(other, submitter)];
    expect(noncesOf(next)).not.toContain(held.nonce);
  });

  it('S1, S10: only its owner recycles: a stranger, and the owner after the next one came, change nothing', async () => {
    const engine = node(intents);
    const submitter = newAddress();
    const held = await take(engine, submitter);
    await engine.markRecyclable(held, { reason: 'not needed' });
    const next = await take(engine, submitter);
    expect(next.nonce).toBe(held.nonce);
    const late = answerOf(engine.markRecyclable(held, { reason: 'said twice' }));
    expect(await late).toBe('NONCE_FENCED');
    expect((await take(engine, submitter)).nonce).toBe(next.nonce + 1);
  });

  // redis.flush; alloc(h1) => INCR=1 => starts sync; alloc(h2) => INCR=2 => uses nonce 2 (C=900)
  it('S7, S9: many callers find an empty Redis at once: none gets a nonce below the floor', async () => {
    const submitter = newAddress();
    await fixture.store.open(
      baselineOf(submitter, { startNonce: 900 as Nonce, chainLatestCount: 900 }),
    );
    const nodes = range(3).map(() => node(intents));
    const taken = await Promise.all(
      nodes.flatMap((each) => range(8).map(() => take(each, submitter))),
    );
    expect(noncesOf(taken).sort((a, b) => a - b)).toEqual(range(24, 900));
  });
});

describe.each(INTENT_POLICIES)('I-19: a count that falls, %s intents', (intents) => {
  // C=1000; 1000..1299 SENT; drop from the pool; getTransactionCount(pending)=>1000; alloc=1000..
  it('S3, S7, S8: a lower count of a chain that forgot moves no counter back', async () => {
    const engine = node(intents);
    const submitter = newAddress();
    const start = {
      startNonce: 1_000 as Nonce,
      chainLatestCount: 1_000,
      chainFinalizedCount: 1_000,
    };
    await fixture.store.open(baselineOf(submitter, { ...start, genesisHash: hashOf(7) }));
    const sent = await takeMany(engine, submitter, 30);
    for (const each of sent) await engine.intent(each, { txHash: hashOf(each.nonce) });
    const alignment = new PostgresAlignmentStore(fixture.runner, QUARANTINE);
    const seen = { submitter, finalizedCount: 990, genesisHash: hashOf(7) };
    for (const latestCount of [1_000, 990, 0]) await alignment.align({ ...seen, latestCount });
    await engine.refreshLimits(submitter);
    expect(noncesOf(await takeMany(engine, submitter, 3))).toEqual(range(3, 1_030));
  });
});

describe.each(INTENT_POLICIES)('I-37: ranges handed to nodes, %s intents', (intents) => {
  // N1 segment 5..14, N2 segment 15..24; N2 sends 15..24 (queued); N1 idle or crash(N1)
  it('L2, S12: two nodes share one range: their nonces interleave without a gap', async () => {
    const [first, second] = [node(intents), node(intents)];
    const submitter = newAddress();
    const taken: Allocation[] = [];
    for (let round = 0; round < 12; round += 1) {
      taken.push(await take(round % 3 === 0 ? first : second, submitter));
    }
    expect(noncesOf(taken)).toEqual(range(12));
  });

  it('L1, L6: a node that dies with a block leaves it to the others, lowest first', async () => {
    const [dying, living] = [node(intents), node(intents)];
    const submitter = newAddress();
    const block = await takeBlock(dying, submitter, { count: 10 });
    await take(living, submitter);
    await letPass(living, block);
    expect(noncesOf(await takeMany(living, submitter, 11))).toEqual([...range(10), 11]);
  });

  it('L1, S12: a node that dies between Postgres and Redis with nonces on the way loses none', async () => {
    const submitter = newAddress();
    const living = node(intents);
    const block = await takeBlock(living, submitter, { count: 5 });
    for (const each of block) await fixture.expireInRedis(each);
    await living.reclaimExpired(1_000);
    await fixture.flush(submitter);
    // This one is given the five by Postgres, and dies before it can pass them on.
    const dying = node(intents, {
      epochs: Object.create(fixture.epochs, {
        refill: {
          value: async (...asked: Parameters<FastEpochStore['refill']>) => {
            await fixture.epochs.refill(...asked);
            throw new NonceError('NONCE_STORE_UNAVAILABLE');
          },
        },
      }) as FastEpochStore,
    });
    await dying.loadFree(1_000);
    expect((await take(living, submitter)).nonce).toBe(5);
    await living.refreshLimits(submitter);
    expect(noncesOf(await takeMany(living, submitter, 6))).toEqual([...range(5), 6]);
  });

  it('L1: a whole range whose node died before it opened it is issued by the next epoch', async () => {
    const submitter = newAddress();
    const taken = await takeMany(node(intents), submitter, 3);
    // Another node wins an epoch over it, and is never heard of again.
    const incarnation = await fixture.fast.store.incarnationOf(submitter);
    const request = {
      ...{ submitter, incarnation, badEpoch: taken[0]?.epoch ?? null, raise: 32 },
      ...{ defaultWindow: 0, reason: 'by a node that dies' },
    };
    const [answer] = await fixture.epochs.enter([request], intents, FIRST_MODE_EPOCH);
    expect(answer).toMatchObject({ kind: 'epoch', epoch: { won: true } });
    const next = await takeMany(node(intents), submitter, 40);
    // Under strict nobody may send without an intent, so that even the three are free again; under
    // relaxed they may be out, and the rest of both ranges comes back when the quarantine ends.
    if (intents === 'strict') expect(noncesOf(next)).toEqual(range(40));
    else expect(noncesOf(next)).toEqual(range(40, 64));
  });
});
