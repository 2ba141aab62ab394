import type { Allocation } from '../../src/domain/allocation';
import { PostgresRebaselineStore } from '../../src/postgres/postgres-rebaseline-store';
import { ChainBaseline } from '../../src/recovery/chain-baseline';
import { RebaselineSubmitter } from '../../src/recovery/rebaseline-submitter';
import { batchOf, noncesOf, QUARANTINE, rowOf, tokens } from '../support/store-fixture';
import { TrackingBench } from '../tracking/tracking-bench';

let bench: TrackingBench;
let subject: RebaselineSubmitter;
beforeEach(async () => {
  bench = await TrackingBench.open();
  await bench.alignment.alignWithChain(bench.submitter);
  subject = new RebaselineSubmitter({
    ...bench.deps(),
    store: new PostgresRebaselineStore(bench.fixture.runner),
    baseline: new ChainBaseline(bench.chains, QUARANTINE),
  });
});
afterEach(() => bench.close());

const align = () => bench.alignment.alignWithChain(bench.submitter);
const reset = (dryRun = false) =>
  subject.rebaseline(bench.submitter, { reason: 'the node was restarted', dryRun });
const allocate = async (operationId: string | null = null, ids = tokens(1)) =>
  (await bench.fixture.store.allocate(batchOf([rowOf(bench.submitter, { operationId, ids })])))[0];
const view = () => bench.submitters.view(bench.submitter, 0);

async function wasReset(): Promise<void> {
  bench.chain.restart();
  await expect(align()).rejects.toMatchObject({ code: 'NONCE_CHAIN_RESET' });
}

/** What a holder of the old chain is told. */
async function intentOf(allocation: Allocation): Promise<string> {
  const { txHash, rawTx } = bench.sign(allocation);
  return bench.tell(allocation, 'intent', { txHash, rawTx }).then(
    () => 'done',
    (error: unknown) => /NONCE_\w+/.exec(String(error))?.[0] ?? String(error),
  );
}

describe('L13: while the chain shows another genesis', () => {
  it('nothing is issued, and the answer says why', async () => {
    await wasReset();
    expect(await allocate()).toMatchObject({ kind: 'refused', code: 'NONCE_CHAIN_RESET' });
    expect(await view()).toMatchObject({
      paused: true,
      pausedReason: 'chain reset: another genesis block',
    });
  });

  it('an operator who resumes it does not make it issue', async () => {
    await wasReset();
    await bench.submitters.setPaused(bench.submitter, false, 'by mistake');
    expect(await allocate()).toMatchObject({ kind: 'refused', code: 'NONCE_CHAIN_RESET' });
  });

  it('nothing that was signed for the old chain is sent to the new one', async () => {
    const [allocation] = (await bench.grant(1)) as [Allocation];
    const { txHash, rawTx } = bench.sign(allocation);
    await bench.tell(allocation, 'submitted', { txHash, rawTx });
    await wasReset();
    await bench.round();
    bench.chain.mine(3);
    expect(bench.chain.executions(`work ${allocation.nonce}`)).toBe(0);
  });
});

describe('H-22: re-baselining', () => {
  it('starts a new generation at the count of the new chain; old rows stay readable', async () => {
    const [allocation] = (await bench.grant(3)) as [Allocation];
    bench.chain.restart();
    bench.chain.startAt(bench.address, 7);
    await expect(align()).rejects.toMatchObject({ code: 'NONCE_CHAIN_RESET' });
    expect(await reset()).toMatchObject({ verdict: 'rebaselined', generation: 2, nextNonce: 7 });
    expect(noncesOf(await allocate())).toEqual([7]);
    expect(await view()).toMatchObject({ epoch: 2, chainLatest: 7, paused: false });
    const kept = await bench.fixture.store.findById(allocation.id);
    expect(kept).toMatchObject({
      nonce: 0,
      stage: 'CONSUMED_EXTERNAL',
      note: 'the chain was reset',
    });
  });

  it('S9: holders of the old chain are fenced, whatever they hold', async () => {
    const [unsent, sent] = (await bench.grant(2)) as [Allocation, Allocation];
    const [black] = (await bench.grant(1, { exposure: 'assumed' })) as [Allocation];
    await bench.tell(sent, 'intent', bench.sign(sent));
    await wasReset();
    await reset();
    expect(await intentOf(unsent)).toBe('NONCE_FENCED');
    expect(await intentOf(black)).toBe('NONCE_FENCED');
    await expect(bench.tell(sent, 'used')).rejects.toThrow('NONCE_FENCED');
    expect(await align()).toMatchObject({ chainLatest: 0 });
  });

  it('S4: work that was never exposed gets a nonce again, work that may be out keeps its own', async () => {
    const second = tokens(1);
    await allocate('never sent');
    await allocate('perhaps sent', second);
    const held = await bench.fixture.store.findById(second[0] ?? '');
    if (held === null) throw new Error('no such allocation');
    await bench.tell(held, 'intent', bench.sign(held));
    await wasReset();
    expect(await reset()).toMatchObject({ kept: 1, ended: 1 });
    const again = await allocate('never sent');
    expect(again).toMatchObject({ kind: 'granted', replayed: false });
    expect(noncesOf(again)).toEqual([0]);
    const replay = await allocate('perhaps sent');
    expect(replay).toMatchObject({ kind: 'granted', replayed: true });
    expect(noncesOf(replay)).toEqual([1]);
  });

  it('is refused while the genesis is the remembered one, also after it was done', async () => {
    await expect(reset()).rejects.toMatchObject({ code: 'NONCE_PRECONDITION' });
    await wasReset();
    const both = await Promise.allSettled([reset(), reset()]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await expect(reset()).rejects.toMatchObject({ code: 'NONCE_PRECONDITION' });
    expect((await view())?.epoch).toBe(2);
  });

  it('is refused beside a fast epoch that rules', async () => {
    await wasReset();
    await bench.fixture.database.pool.query(
      `UPDATE submitter_nonce_state SET engine = 'performance' WHERE submitter = $1`,
      [bench.submitter],
    );
    await expect(reset()).rejects.toThrow(/pin it to RELIABLE/);
  });

  it('changes nothing in a dry run', async () => {
    await bench.grant(2);
    await wasReset();
    expect(await reset(true)).toMatchObject({ verdict: 'possible', generation: 2, ended: 2 });
    expect(await allocate()).toMatchObject({ code: 'NONCE_CHAIN_RESET' });
    expect(await bench.stage(0)).toBe('GRANTED');
  });

  it('S8: lowers no ceiling that a witness may know, and S14: issues from the count on', async () => {
    await bench.grant(5);
    await wasReset();
    const before = await view();
    await reset();
    expect((await view())?.ceiling).toBe(before?.ceiling);
    expect(noncesOf(await allocate(null, tokens(3)))).toEqual([0, 1, 2]);
  });

  it('quarantines what the pool of the new chain already holds', async () => {
    await bench.grant(1);
    bench.chain.restart();
    const tx = { from: bench.address, nonce: 0, payload: 'a wallet', feePerGas: 1 };
    await bench.chain.send(bench.chain.sign(tx).rawTx);
    await expect(align()).rejects.toMatchObject({ code: 'NONCE_CHAIN_RESET' });
    await reset();
    expect(noncesOf(await allocate())).toEqual([1]);
    expect(await bench.stage(0)).toBe('QUARANTINED');
  });
});

it('S13: a chain of another fingerprint never shares nonces with the one before', async () => {
  await bench.grant(4);
  await wasReset();
  await reset();
  await bench.grant(2);
  const { rows } = await bench.fixture.database.pool.query(
    `SELECT chain_generation, array_agg(nonce::int ORDER BY nonce) AS nonces
     FROM submitter_nonce_allocation WHERE submitter = $1 GROUP BY 1 ORDER BY 1`,
    [bench.submitter],
  );
  expect(rows).toEqual([
    { chain_generation: 1, nonces: [0, 1, 2, 3] },
    { chain_generation: 2, nonces: [0, 1] },
  ]);
});
