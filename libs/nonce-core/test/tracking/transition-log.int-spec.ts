import type { TrackedTransition, TransitionPlace } from '../../src/ports/transition-log.port';
import { PostgresTransitionLog } from '../../src/postgres/postgres-transition-log';
import { FollowTransactions } from '../../src/tracking/follow-transactions';
import { PruneTransitions } from '../../src/tracking/prune-transitions';
import { tellTransition } from '../../src/tracking/tell-transition';
import { waitFor } from '../support/wait-for';
import { TrackingBench } from './tracking-bench';

let bench: TrackingBench;
let log: PostgresTransitionLog;
let place: TransitionPlace;
beforeEach(async () => {
  bench = await TrackingBench.open({ finalityDepth: 6 });
  log = new PostgresTransitionLog(bench.fixture.runner);
  ({ place } = await log.after(null));
});
afterEach(() => bench.close());

async function broadcast(count: number): Promise<void> {
  for (const allocation of await bench.grant(count)) {
    const { rawTx, txHash } = bench.sign(allocation);
    await bench.tell(allocation, 'intent', { txHash, rawTx });
    await bench.chain.send(rawTx);
    await bench.tell(allocation, 'submitted', { txHash });
  }
}

async function follow(): Promise<void> {
  await bench.dueNow();
  await new FollowTransactions(bench.looker()).tick();
}

/** As many as are expected: other tests' transactions in the same server hold readers up. */
async function read(count: number): Promise<readonly TrackedTransition[]> {
  const all: TrackedTransition[] = [];
  await waitFor(
    async () => {
      const found = await log.after(place);
      place = found.place;
      all.push(...found.transitions);
      return all.length >= count;
    },
    { describe: `${String(count)} transitions` },
  );
  return all;
}

const namesOf = (transitions: readonly TrackedTransition[]): readonly string[] => {
  const names: string[] = [];
  for (const transition of transitions) {
    tellTransition(transition, { publish: (name) => names.push(name) });
  }
  return names;
};

it('tells another process what the worker told in its own, move by move', async () => {
  await broadcast(2);
  for (const blocks of [1, 2, 6]) {
    bench.chain.mine(blocks);
    await follow();
  }
  const transitions = await read(6);
  expect(namesOf(transitions)).toEqual(bench.events);
  expect(transitions.map(({ nonce, to }) => `${to} ${String(nonce)}`)).toEqual([
    ...['MINED 0', 'MINED 1', 'CONFIRMED 0', 'CONFIRMED 1', 'FINAL 0', 'FINAL 1'],
  ]);
  expect(transitions[0]).toMatchObject({ submitter: bench.submitter, blockNumber: 1 });
  expect(transitions[0]?.txHash).toMatch(/^0x[0-9a-f]{64}$/);
  expect(await read(0)).toEqual([]);
});

it('I-41: tells of a reorg, and of the second inclusion', async () => {
  await broadcast(1);
  bench.chain.mine(1);
  await follow();
  bench.chain.reorg(1, { reinject: true });
  await follow();
  bench.chain.mine(1);
  await follow();
  const names = namesOf(await read(3)).filter((name) => name.startsWith('tx.'));
  expect(names).toEqual(['tx.included', 'tx.reorged', 'tx.included']);
});

it('passes nothing over that was begun earlier and commits later', async () => {
  const { pool } = bench.fixture.database;
  const slow = await pool.connect();
  const insert = `INSERT INTO tracked_transition
    (allocation_id, submitter, nonce, from_stage, to_stage, stuck, reason)
    VALUES (gen_random_uuid(), 'x', $1, 'MINED', 'FINAL', false, 'a test')`;
  try {
    await slow.query('BEGIN');
    await slow.query(insert, [1]);
    await pool.query(insert, [2]);
    expect(await read(0)).toEqual([]);
    await slow.query('COMMIT');
    expect((await read(2)).map(({ nonce }) => nonce)).toEqual([1, 2]);
    await pool.query(insert, [3]);
    expect((await read(1)).map(({ nonce }) => nonce)).toEqual([3]);
  } finally {
    slow.release();
  }
});

it('reads on in a database that was put back, whose transactions count from lower', async () => {
  await broadcast(1);
  place = { writtenBy: String(BigInt(place.writtenBy) + 1_000_000n), id: 9 };
  expect(await read(0)).toEqual([]);
  bench.chain.mine(1);
  await follow();
  expect(namesOf(await read(1))).toContain('tx.included');
});

it('forgets what is older than its retention, and nothing else', async () => {
  await broadcast(1);
  bench.chain.mine(1);
  await follow();
  const { pool } = bench.fixture.database;
  await pool.query(`UPDATE tracked_transition SET at = at - interval '2 hours'`);
  bench.chain.mine(2);
  await follow();
  await new PruneTransitions(log, 3_600_000).tick();
  expect((await read(1)).map(({ to }) => to)).toEqual(['CONFIRMED']);
});
