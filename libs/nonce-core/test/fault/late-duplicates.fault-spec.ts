import type { Allocation } from '../../src/domain/allocation';
import { isNonceError } from '../../src/domain/errors/nonce-error';
import type { Submitter } from '../../src/domain/submitter';
import { ReliableEngine } from '../../src/engines/reliable/reliable-engine';
import { SystemClock } from '../../src/module/system-clock';
import { NO_METRICS } from '../../src/ports/metrics.port';
import { PostgresSubmitterStore } from '../../src/postgres/postgres-submitter-store';
import { FakeChain } from '../../src/testing/fake-chain';
import {
  baselineOf,
  batchOf,
  hashOf,
  newSubmitter,
  noncesOf,
  openStore,
  rowOf,
  tokens,
  type StoreFixture,
} from '../support/store-fixture';
import { LateDuplicates } from './late-duplicates';
import { expectPartition, readLedger } from './ledger';
import { seededRandom } from './seeded-random';

const STEPS = 120;
const SEEDS = [1, 2, 3, 4, 5, 6];

let fixture: StoreFixture;
beforeAll(async () => {
  fixture = await openStore(null);
});
afterAll(() => fixture.close());

function engineOn(network: LateDuplicates): ReliableEngine {
  const chain = new FakeChain();
  const profile = {
    chainId: chain.chainId,
    confirmations: 1,
    finalityTag: 'finalized',
    reorgDepth: 50,
    pollIntervalMs: 1_000,
    maxInFlight: 0,
    strictNonce: false,
  } as const;
  const configured = { profile, reader: chain, sender: chain };
  return new ReliableEngine({
    store: network,
    submitters: new PostgresSubmitterStore(fixture.runner),
    baseline: { resolve: async (submitter) => baselineOf(submitter) },
    chains: { all: [configured], find: () => configured },
    locks: { acquire: async () => ({ release: async () => undefined }) },
    clock: new SystemClock(),
    metrics: NO_METRICS,
    events: { publish: () => undefined },
  });
}

type Command = (engine: ReliableEngine, held: Allocation, step: number) => Promise<unknown>;

/** What a holder says, in the order in which it may say it. */
const SENTENCES: readonly (readonly Command[])[] = [
  [release],
  [beat, release],
  [beat, beat, release],
  [intend, submit, use],
  [beat, intend, use],
  [intend, bump, submit],
  [submit, use],
  [assert],
  [beat, assert],
  [intend],
];

function beat(engine: ReliableEngine, held: Allocation): Promise<unknown> {
  return engine.heartbeat(held, { ttlMs: 60_000 });
}
function release(engine: ReliableEngine, held: Allocation): Promise<unknown> {
  return engine.markRecyclable(held, { reason: 'not needed' });
}
function intend(engine: ReliableEngine, held: Allocation): Promise<unknown> {
  return engine.intent(held, { txHash: hashOf(10 * held.nonce + 1) });
}
function bump(engine: ReliableEngine, held: Allocation): Promise<unknown> {
  return engine.intent(held, { txHash: hashOf(10 * held.nonce + 2) });
}
function submit(engine: ReliableEngine, held: Allocation): Promise<unknown> {
  return engine.markSubmitted(held, { txHash: hashOf(10 * held.nonce + 1) });
}
function use(engine: ReliableEngine, held: Allocation): Promise<unknown> {
  return engine.markUsed(held, { txHash: hashOf(10 * held.nonce + 1) });
}
function assert(engine: ReliableEngine, held: Allocation): Promise<unknown> {
  return engine.markUsed(held, {});
}

/**
 * One history of holders, the same for the same seed. With `duplicates` copies of earlier messages
 * arrive between its steps, and all that are left at its end.
 */
async function play(seed: number, duplicates: boolean): Promise<Submitter> {
  const [random, chance] = [seededRandom(seed), seededRandom(seed + 1_000)];
  const network = new LateDuplicates(fixture.store);
  const engine = engineOn(network);
  const submitter = newSubmitter(new FakeChain().chainId);
  const holders: { held: Allocation; left: Command[] }[] = [];
  for (let step = 0; step < STEPS; step += 1) {
    if (holders.length === 0 || random() < 0.35) {
      const operationId = random() < 0.5 ? `operation ${step}` : undefined;
      const { allocations } = await engine.allocate({
        submitter,
        count: 1 + Math.floor(random() * 2),
        ttlMs: 60_000,
        exposure: 'declared',
        ...(operationId === undefined ? {} : { operationId }),
      });
      for (const held of allocations) {
        const sentence = SENTENCES[Math.floor(random() * SENTENCES.length)] ?? [];
        holders.push({ held, left: [...sentence] });
      }
    } else {
      const index = Math.floor(random() * holders.length);
      const holder = holders[index];
      const command = holder?.left.shift();
      if (holder !== undefined && command !== undefined) await command(engine, holder.held, step);
      if (holder?.left.length === 0) holders.splice(index, 1);
    }
    while (duplicates && network.waiting > 0 && chance() < 0.5) await network.deliverOne(chance());
  }
  while (duplicates && network.waiting > 0) await network.deliverOne(chance());
  await engine.stop(1_000);
  return submitter;
}

/** Everything but tokens and times. */
async function stateOf(submitter: Submitter): Promise<unknown> {
  const ledger = await readLedger(fixture.database.pool, submitter);
  expectPartition(ledger);
  const rows = ledger.rows.map(({ nonce, stage, source, operationId, hashes }) => ({
    nonce,
    stage,
    source,
    operationId,
    hashes,
  }));
  const { rows: operations } = await fixture.database.pool.query<{ operation_id: string }>(
    `SELECT operation_id, nonces, count FROM operation WHERE submitter = $1 ORDER BY operation_id`,
    [submitter],
  );
  return { next: ledger.next, rows, operations };
}

describe('I-34: a network that delivers every message again, at any later time', () => {
  it.each(SEEDS)('leaves the state that one without it leaves (history %d)', async (seed) => {
    const [once, again] = [await play(seed, false), await play(seed, true)];
    expect(await stateOf(again)).toEqual(await stateOf(once));
  });

  it('answers a copy as it answered the message, or refuses it, and never with another nonce', async () => {
    const network = new LateDuplicates(fixture.store);
    const engine = engineOn(network);
    const submitter = newSubmitter();
    const command = { submitter, count: 2, ttlMs: 60_000, exposure: 'declared' } as const;
    const operation = { ...command, operationId: 'payment' };
    const first = await engine.allocate(operation);
    const again = await Promise.all([engine.allocate(operation), engine.allocate(operation)]);
    for (const copy of again) expect(copy.allocations).toEqual(first.allocations);
    const [held] = first.allocations;
    if (held === undefined) throw new Error('nothing granted');
    await release(engine, held);
    const { allocations } = await engine.allocate(command);
    expect(allocations.map((each) => each.nonce)).toEqual([0, 2]);
    for (const late of [beat, release, intend, submit, use, assert]) {
      const error = await late(engine, held).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(isNonceError(error) && error.code).toBe('NONCE_FENCED');
    }
    await engine.stop(1_000);
  });
});

describe('L5: a statement that a standing network delivers after its own repetition', () => {
  it('gives its token no say over another nonce, and blocks nobody for ever', async () => {
    const submitter = newSubmitter();
    await fixture.store.open(baselineOf(submitter));
    const engine = engineOn(new LateDuplicates(fixture.store));
    const request = batchOf([rowOf(submitter)]);
    const [answer] = await fixture.store.allocate({ ...request, retry: true });
    if (answer?.kind !== 'granted') throw new Error(JSON.stringify(answer));
    const [held] = answer.allocations as [Allocation];
    await release(engine, held);
    const [next] = await fixture.store.allocate(batchOf([rowOf(submitter)]));
    expect(noncesOf(next)).toEqual([0]);

    // Now the first try arrives, whose caller was answered and has long ended.
    await fixture.store.allocate(request);
    for (const late of [beat, release, intend, submit, use, assert]) {
      await expect(late(engine, held)).rejects.toMatchObject({ code: 'NONCE_FENCED' });
    }
    await fixture.database.pool.query(
      `WITH over AS (
         UPDATE submitter_nonce_allocation SET deadline = now() - interval '1 s'
         WHERE submitter = $1 AND nonce = 1)
       UPDATE submitter_nonce_state SET reclaim_at = now() - interval '1 s' WHERE submitter = $1`,
      [submitter],
    );
    const [after] = await fixture.store.allocate(batchOf([rowOf(submitter, { ids: tokens(2) })]));
    expect(noncesOf(after)).toEqual([1, 2]);
    expectPartition(await readLedger(fixture.database.pool, submitter));
    await engine.stop(1_000);
  });
});
