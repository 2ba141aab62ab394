import type { Submitter } from '../../src/domain/submitter';
import { newSubmitter, openStore, type StoreFixture } from '../support/store-fixture';
import { baselineOf } from '../support/store-fixture';
import { openTestRedis, redisPrefix, type TestRedis } from '../support/test-redis';
import {
  expectAllRecorded,
  expectPartition,
  expectSingleHolders,
  range,
  readLedger,
} from './ledger';
import { LoadNode, runAll } from './load-nodes';
import type { LoadOrder } from './nodes/load-node';

const PROCESSES = 3;
const CALLERS = 24;
const TEN_MINUTES_MS = 600_000;

let fixture: StoreFixture;
let redis: TestRedis;
let nodes: readonly LoadNode[];

beforeAll(async () => {
  nodes = Array.from({ length: PROCESSES }, () => new LoadNode());
  [fixture, redis] = await Promise.all([openStore(null), openTestRedis()]);
});
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.process.stop()));
  await Promise.all([fixture.close(), redis.close()]);
});

function orderOf(
  submitters: readonly Submitter[],
  overrides: Partial<LoadOrder> = {},
): Omit<LoadOrder, 'order'> {
  const { url, schema } = fixture.database;
  return {
    node: { databaseUrl: url, schema, redis: { url: redis.url, keyPrefix: redis.prefix } },
    submitters,
    callers: CALLERS,
    perCaller: 20,
    ttlMs: 60_000,
    work: 'hold',
    seed: 1,
    ...overrides,
  };
}

/** Submitters that exist; a new one is opened by whichever process comes first. */
async function openSubmitters(count: number): Promise<readonly Submitter[]> {
  const submitters = Array.from({ length: count }, () => newSubmitter());
  await Promise.all(submitters.map((each) => fixture.store.open(baselineOf(each))));
  return submitters;
}

const grantsOf = (submitter: Submitter) =>
  nodes.flatMap((node) => node.grants.filter((grant) => grant.submitter === submitter));

async function expectContiguousGrants(submitter: Submitter): Promise<number> {
  const grants = grantsOf(submitter);
  const nonces = grants.map((grant) => grant.nonce).sort((a, b) => a - b);
  expect(nonces).toEqual(range(0, grants.length));
  const ledger = await readLedger(fixture.database.pool, submitter);
  expect(ledger.next).toBe(grants.length);
  expectPartition(ledger);
  expectAllRecorded(ledger, grants);
  return grants.length;
}

describe(`${PROCESSES} processes with ${CALLERS} callers each`, () => {
  it('I-28: get distinct, contiguous nonces for one submitter that none of them knew', async () => {
    const submitter = newSubmitter();
    await runAll(nodes, () => orderOf([submitter]));
    expect(await expectContiguousGrants(submitter)).toBe(PROCESSES * CALLERS * 20);
    expect(nodes.flatMap((node) => node.refusals)).toEqual([]);
  });

  it('I-28: get distinct, contiguous nonces for each of 20 submitters', async () => {
    const submitters = await openSubmitters(20);
    await runAll(nodes, () => orderOf(submitters));
    const counts = await Promise.all(submitters.map(expectContiguousGrants));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(PROCESSES * CALLERS * 20);
    expect(nodes.flatMap((node) => node.refusals)).toEqual([]);
  });

  it('I-23: stay correct when the lock is granted to everybody at once', async () => {
    const [submitter] = (await openSubmitters(1)) as [Submitter];
    const { url, schema } = fixture.database;
    // With a key of its own each process always gets "the" lock, also while others hold theirs.
    await runAll(nodes, () =>
      orderOf([submitter], {
        node: { databaseUrl: url, schema, redis: { url: redis.url, keyPrefix: ownPrefix() } },
      }),
    );
    expect(await expectContiguousGrants(submitter)).toBe(PROCESSES * CALLERS * 20);
  });

  it('I-26: stay correct with wall clocks ten minutes apart, each sweeping for the dead', async () => {
    const submitters = await openSubmitters(3);
    const { url, schema } = fixture.database;
    await runAll(nodes, (index) =>
      orderOf(submitters, {
        node: { databaseUrl: url, schema, sweepIntervalMs: 50 },
        clockShiftMs: (index - 1) * TEN_MINUTES_MS,
        work: 'settle',
        seed: index,
      }),
    );
    for (const submitter of submitters) {
      const ledger = await readLedger(fixture.database.pool, submitter);
      const grants = grantsOf(submitter);
      expectPartition(ledger);
      expectAllRecorded(ledger, grants);
      expectSingleHolders(grants, new Set(nodes.flatMap((node) => node.endedIds)));
    }
    expect(nodes.flatMap((node) => node.refusals)).toEqual([]);
  });

  it('I-23, S1: hand no nonce to two holders while they also give back, use and expose', async () => {
    const submitters = await openSubmitters(2);
    const { url, schema } = fixture.database;
    await runAll(nodes, (index) =>
      orderOf(submitters, {
        node: { databaseUrl: url, schema, redis: { url: redis.url, keyPrefix: ownPrefix() } },
        work: 'settle',
        seed: 10 + index,
      }),
    );
    const ended = new Set(nodes.flatMap((node) => node.endedIds));
    for (const submitter of submitters) {
      const ledger = await readLedger(fixture.database.pool, submitter);
      expectPartition(ledger);
      expectAllRecorded(ledger, grantsOf(submitter));
      expectSingleHolders(grantsOf(submitter), ended);
      // L2: what was given back went out again before fresh nonces: less were used than granted.
      expect(ledger.next).toBeLessThan(grantsOf(submitter).length);
    }
  });
});

function ownPrefix(): string {
  return `${redis.prefix}-${redisPrefix()}`;
}
