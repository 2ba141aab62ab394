import type { ChainReader } from '../../src/ports/chain.port';
import { AlignWithChain } from '../../src/recovery/align-with-chain';
import { REORG_LOOKS } from '../../src/recovery/reorged-floor';
import { PostgresAlignmentStore } from '../../src/postgres/postgres-alignment-store';
import { batchOf, noncesOf, QUARANTINE, rowOf } from '../support/store-fixture';
import { TrackingBench } from '../tracking/tracking-bench';

let bench: TrackingBench;
beforeEach(async () => {
  bench = await TrackingBench.open({ finalityDepth: 20 });
});
afterEach(() => bench.close());

const align = () => bench.alignment.alignWithChain(bench.submitter);

async function alignments(count: number): Promise<readonly (number | boolean)[]> {
  const floors: (number | boolean)[] = [];
  for (let i = 0; i < count; i += 1) {
    const { chainLatest, reorged } = await align();
    floors.push(reorged === true ? -chainLatest : chainLatest);
  }
  return floors;
}

/** Somebody else uses the account, in a block of its own. */
async function foreignUse(count: number): Promise<void> {
  const from = await bench.chain.transactionCount(bench.address, 'latest');
  for (let nonce = from; nonce < from + count; nonce += 1) {
    const tx = { from: bench.address, nonce, payload: `foreign ${nonce}`, feePerGas: 1 };
    await bench.chain.send(bench.chain.sign(tx).rawTx);
  }
  bench.chain.mine();
}

async function issue(count = 1): Promise<readonly number[]> {
  const ids = Array.from({ length: count }, () => crypto.randomUUID());
  const [answer] = await bench.fixture.store.allocate(batchOf([rowOf(bench.submitter, { ids })]));
  return noncesOf(answer);
}

const ruledBy = (engine: string) =>
  bench.fixture.database.pool.query(
    'UPDATE submitter_nonce_state SET engine = $2::engine_name WHERE submitter = $1',
    [bench.submitter, engine],
  );

it('S15, L1: a floor whose block was replaced falls after looks that agree, and leaves no gap', async () => {
  bench.chain.mine();
  await foreignUse(5);
  expect((await align()).chainLatest).toBe(5);
  expect(await issue()).toEqual([5]);
  bench.chain.reorg(1, { reinject: false });
  bench.chain.mine(2);
  const agreed = await alignments(REORG_LOOKS);
  expect(agreed).toEqual([...Array<number>(REORG_LOOKS - 1).fill(5), -0]);
  expect(bench.events).toContain('anomaly');
  expect(await issue(5)).toEqual([0, 1, 2, 3, 4]);
  expect(await issue()).toEqual([6]);
});

it('S15: a reader that lags, however long, lowers nothing', async () => {
  await foreignUse(4);
  await align();
  bench.chain.mine(3);
  bench.chain.lag(4);
  expect(await alignments(REORG_LOOKS + 2)).toEqual(Array<number>(REORG_LOOKS + 2).fill(4));
  expect(await issue()).toEqual([4]);
});

it('S15: a count that is lower alone, on the same blocks, lowers nothing', async () => {
  await foreignUse(4);
  await align();
  bench.chain.mine(3);
  const { chain } = bench;
  const liar: ChainReader = {
    chainId: chain.chainId,
    genesisHash: () => chain.genesisHash(),
    transactionCount: () => Promise.resolve(1),
    block: (at) => chain.block(at),
    blockContents: (...asked) => chain.blockContents(...asked),
    receipts: (hashes) => chain.receipts(hashes),
    transaction: (hash) => chain.transaction(hash),
  };
  const configured = { profile: bench.profile, reader: liar, sender: chain };
  const alignment = new AlignWithChain({
    ...bench.deps(),
    store: new PostgresAlignmentStore(bench.fixture.runner, QUARANTINE),
    chains: { all: [configured], find: () => configured },
  });
  for (let i = 0; i < REORG_LOOKS + 2; i += 1) {
    const report = await alignment.alignWithChain(bench.submitter);
    expect(report).toMatchObject({ chainLatest: 4, lowered: 3 });
    expect(report.reorged).toBeUndefined();
  }
});

it('S15: looks that differ are counted anew', async () => {
  await foreignUse(4);
  await align();
  bench.chain.reorg(1, { reinject: false });
  bench.chain.mine(2);
  expect(await alignments(REORG_LOOKS - 1)).toEqual(Array<number>(REORG_LOOKS - 1).fill(4));
  await foreignUse(1);
  expect(await alignments(REORG_LOOKS - 1)).toEqual(Array<number>(REORG_LOOKS - 1).fill(4));
  expect(await alignments(1)).toEqual([-1]);
});

it('S1, S15: what was issued below the old floor stays with its holders', async () => {
  const [held] = await bench.grant(1);
  await foreignUse(3);
  await align();
  expect(await issue()).toEqual([3]);
  bench.chain.reorg(1, { reinject: false });
  bench.chain.mine(2);
  await alignments(REORG_LOOKS);
  expect(await issue(2)).toEqual([1, 2]);
  expect(await bench.row(0)).toMatchObject({ id: held?.id, stage: 'GRANTED' });
});

it('S9, S15: beside a fast epoch that rules nothing falls before it ends', async () => {
  await foreignUse(4);
  await align();
  bench.chain.reorg(1, { reinject: false });
  bench.chain.mine(2);
  await ruledBy('performance');
  expect(await alignments(REORG_LOOKS)).toEqual(Array<number>(REORG_LOOKS).fill(4));
  await ruledBy('reliable');
  expect((await alignments(REORG_LOOKS)).at(-1)).toBe(-0);
});

it('S3, S15: where a relaxed epoch may have issued unseen, what was skipped waits in quarantine', async () => {
  await foreignUse(3);
  await align();
  await bench.fixture.database.pool.query(
    `INSERT INTO epoch_log (submitter, epoch, engine, base, ceiling, intents, reason)
     VALUES ($1, 0, 'performance', 0, 2, 'relaxed', 'a test')`,
    [bench.submitter],
  );
  bench.chain.reorg(1, { reinject: false });
  bench.chain.mine(2);
  await alignments(REORG_LOOKS);
  expect(await bench.stage(0)).toBe('QUARANTINED');
  expect(await issue()).toEqual([3]);
});

it('never falls below the finalized count, and remembers no more raises than within the reorg depth', async () => {
  for (let i = 0; i < 4; i += 1) {
    await foreignUse(1);
    await align();
    bench.chain.mine(bench.profile.reorgDepth);
  }
  await foreignUse(1);
  await align();
  const { rows } = await bench.fixture.database.pool.query(
    'SELECT count FROM floor_raise WHERE submitter = $1',
    [bench.submitter],
  );
  expect(rows).toEqual([{ count: '5' }]);
});

it('L1, S15: proven or not, a floor does not fall past what one statement reopens', async () => {
  await foreignUse(3);
  await align();
  const { submitter, fixture } = bench;
  const { pool } = fixture.database;
  await pool.query('UPDATE floor_raise SET count = 10001 WHERE submitter = $1', [submitter]);
  await pool.query(
    `UPDATE submitter_nonce_state SET chain_latest_count = 10001 WHERE submitter = $1`,
    [submitter],
  );
  const store = new PostgresAlignmentStore(fixture.runner, QUARANTINE);
  const fallen = await store.lower({ submitter, seen: 10_001, to: 0, replaced: [10_001] });
  expect(fallen).toEqual({ verdict: 'final', chainLatest: 10_001, reopened: 0 });
  expect(await bench.stage(0)).toBeUndefined();
});

it('S7, S15: a floor over final nonces stays although its blocks are gone, and that is told', async () => {
  await foreignUse(3);
  await align();
  await bench.fixture.database.pool.query(
    'UPDATE submitter_nonce_state SET chain_finalized_count = 2 WHERE submitter = $1',
    [bench.submitter],
  );
  bench.chain.reorg(1, { reinject: false });
  bench.chain.mine(2);
  const anomaliesOf = async (looks: number): Promise<number> => {
    bench.events.splice(0);
    expect(await alignments(looks)).toEqual(Array<number>(looks).fill(3));
    return bench.events.filter((event) => event === 'anomaly').length;
  };
  // Each look tells of the lower count, the last one of the floor too.
  expect(await anomaliesOf(REORG_LOOKS - 1)).toBe(REORG_LOOKS - 1);
  expect(await anomaliesOf(1)).toBe(2);
});
