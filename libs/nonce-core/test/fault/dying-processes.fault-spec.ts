import type { Submitter } from '../../src/domain/submitter';
import {
  baselineOf,
  batchOf,
  newSubmitter,
  noncesOf,
  openStore,
  rowOf,
  tokens,
  type StoreFixture,
} from '../support/store-fixture';
import { openTestRedis, type TestRedis } from '../support/test-redis';
import { waitFor } from '../support/wait-for';
import {
  expectAllRecorded,
  expectPartition,
  expectSingleHolders,
  readLedger,
  type Ledger,
} from './ledger';
import { LoadNode } from './load-nodes';
import type { LoadOrder } from './nodes/load-node';
import { integerBetween, seededRandom } from './seeded-random';

const TTL_MS = 1_500;
/** The moments of death follow from it; change it to look at others. */
const SEED = 20_261_121;

/** Four processes under load share two cores with whatever else runs; nothing here is about speed. */
const PATIENCE_MS = 60_000;
jest.setTimeout(3 * PATIENCE_MS);

let fixture: StoreFixture;
let redis: TestRedis;

beforeAll(async () => {
  [fixture, redis] = await Promise.all([openStore(null), openTestRedis()]);
});
afterAll(async () => {
  await Promise.all([fixture.close(), redis.close()]);
});

/** Nodes that go on until told to finish, and settle what they get in all ways. */
async function startLoad(count: number, submitter: Submitter): Promise<readonly LoadNode[]> {
  await fixture.store.open(baselineOf(submitter));
  const { url, schema } = fixture.database;
  const order: Omit<LoadOrder, 'order' | 'seed'> = {
    node: { databaseUrl: url, schema, redis: { url: redis.url, keyPrefix: redis.prefix } },
    submitters: [submitter],
    callers: 12,
    perCaller: null,
    ttlMs: TTL_MS,
    work: 'settle',
  };
  const nodes = Array.from({ length: count }, () => new LoadNode());
  await Promise.all(nodes.map((node, seed) => node.prepare({ ...order, seed })));
  for (const node of nodes) node.go();
  return nodes;
}

const ledgerOf = (submitter: Submitter) => readLedger(fixture.database.pool, submitter);

/** Nonces whose reservation will never be settled, once it has run out. */
async function abandoned(submitter: Submitter): Promise<readonly number[]> {
  await waitFor(
    async () => {
      const { rows } = await fixture.database.pool.query<{ live: boolean }>(
        `SELECT EXISTS (SELECT 1 FROM submitter_nonce_allocation
          WHERE submitter = $1 AND deadline > clock_timestamp()) AS live`,
        [submitter],
      );
      return rows[0]?.live === false;
    },
    { timeoutMs: PATIENCE_MS, describe: 'the deadlines of the dead to pass' },
  );
  const { rows } = await ledgerOf(submitter);
  return rows
    .filter((row) => row.stage === 'GRANTED' || row.stage === 'REUSABLE')
    .map((row) => row.nonce);
}

/** S3: only what was proven unsent has ever been granted again. */
async function expectOnlyUnsentReissued(submitter: Submitter): Promise<void> {
  const { rows } = await fixture.database.pool.query<{ stage: string }>(
    `SELECT DISTINCT ended_stage AS stage FROM allocation_grant WHERE submitter = $1`,
    [submitter],
  );
  expect(rows.filter((row) => row.stage !== 'REUSABLE')).toEqual([]);
}

function expectNothingLost(ledger: Ledger, nodes: readonly LoadNode[]): void {
  expectPartition(ledger);
  expectAllRecorded(
    ledger,
    nodes.flatMap((node) => node.grants),
  );
}

describe('kill -9 of processes under load', () => {
  it(`I-12, I-24, L5, L6: loses no acknowledged grant, stops nobody, and brings back what the dead held (seed ${SEED})`, async () => {
    const random = seededRandom(SEED);
    const submitter = newSubmitter();
    const nodes = await startLoad(4, submitter);
    const [survivor, ...victims] = nodes as [LoadNode, ...LoadNode[]];
    for (const victim of victims) {
      await victim.moreGrants(integerBetween(random, 1, 120));
      await victim.process.kill();
      await survivor.moreGrants(40);
    }
    survivor.finish();
    await survivor.finished();
    await survivor.process.stop();
    expect(survivor.refusals).toEqual([]);

    expectNothingLost(await ledgerOf(submitter), nodes);
    await expectOnlyUnsentReissued(submitter);
    const dead = victims.flatMap((node) => node.grants.map((grant) => grant.id));
    const ended = new Set([...nodes.flatMap((node) => node.endedIds), ...dead]);
    expectSingleHolders(
      nodes.flatMap((node) => node.grants),
      ended,
    );

    const waiting = await abandoned(submitter);
    const { next } = await ledgerOf(submitter);
    const ids = tokens(waiting.length + 1);
    const [answer] = await fixture.store.allocate(batchOf([rowOf(submitter, { ids })]));
    expect(noncesOf(answer)).toEqual([...waiting, next]);
    expectNothingLost(await ledgerOf(submitter), nodes);
  });
});

describe('a process that stands still under load', () => {
  it('I-24, I-26: stops nobody, and finds what it held taken over when it wakes', async () => {
    const submitter = newSubmitter();
    const nodes = await startLoad(3, submitter);
    const [sleeper, ...others] = nodes as [LoadNode, ...LoadNode[]];
    const random = seededRandom(SEED);
    await waitFor(
      async () => {
        await sleeper.moreGrants(integerBetween(random, 10, 60));
        sleeper.process.pause();
        // Statements it had sent are through when the others have gone on for a while.
        await Promise.all(others.map((node) => node.moreGrants(50)));
        if ((await heldBy(submitter, sleeper)).length > 0) return true;
        sleeper.process.resume();
        return false;
      },
      { timeoutMs: PATIENCE_MS, describe: 'the process to stand still while it holds something' },
    );
    await waitFor(async () => (await heldBy(submitter, sleeper)).length === 0, {
      timeoutMs: PATIENCE_MS,
      describe: 'others to take what the sleeper held',
    });
    const taken = await takenFrom(sleeper);
    expect(taken).not.toEqual([]);
    sleeper.process.resume();
    await sleeper.moreGrants(20);
    for (const node of nodes) node.finish();
    await Promise.all(nodes.map((node) => node.finished()));
    await Promise.all(nodes.map((node) => node.process.stop()));

    expect(nodes.flatMap((node) => node.refusals)).toEqual([]);
    expect(taken.filter((id) => !sleeper.endedIds.includes(id))).toEqual([]);
    expectNothingLost(await ledgerOf(submitter), nodes);
    await expectOnlyUnsentReissued(submitter);
    expectSingleHolders(
      nodes.flatMap((node) => node.grants),
      new Set(nodes.flatMap((node) => node.endedIds)),
    );
  });
});

/** Unsettled tokens of this node whose nonce nobody else was granted yet. */
async function heldBy(submitter: Submitter, node: LoadNode): Promise<readonly string[]> {
  const own = new Set(node.grants.map((grant) => grant.id));
  const { rows } = await ledgerOf(submitter);
  return rows
    .filter((row) => own.has(row.id) && (row.stage === 'GRANTED' || row.stage === 'REUSABLE'))
    .map((row) => row.id);
}

/** Tokens of this node whose time ran out and whose nonce was then granted to others. */
async function takenFrom(node: LoadNode): Promise<readonly string[]> {
  const { rows } = await fixture.database.pool.query<{ id: string }>(
    `SELECT id FROM allocation_grant WHERE note = 'deadline passed' AND id = ANY ($1)`,
    [node.grants.map((grant) => grant.id)],
  );
  return rows.map((row) => row.id);
}
