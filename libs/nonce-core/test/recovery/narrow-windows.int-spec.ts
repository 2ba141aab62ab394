import type { Allocation } from '../../src/domain/allocation';
import type { AllocateRow } from '../../src/ports/allocation-store.port';
import { batchOf, noncesOf, rowOf, tokens } from '../support/store-fixture';
import { TrackingBench } from '../tracking/tracking-bench';

let bench: TrackingBench;
afterEach(() => bench.close());

const align = () => bench.alignment.alignWithChain(bench.submitter);

async function ask(overrides: Partial<AllocateRow> = {}) {
  const rows = [rowOf(bench.submitter, overrides)];
  return (await bench.fixture.store.allocate(batchOf(rows, { maxInFlight: 64 })))[0];
}

const FULL = { kind: 'refused', code: 'NONCE_IN_FLIGHT_LIMIT' };

describe('I-44: an account that delegates to code', () => {
  beforeEach(async () => {
    bench = await TrackingBench.open({ poolLimit: 1, finalityDepth: 1 });
    bench.chain.delegate(bench.address);
    await align();
  });

  it('L3: has one nonce in flight at a time, in order, so that no pool refuses one', async () => {
    for (const nonce of [0, 1, 2]) {
      expect(noncesOf(await ask())).toEqual([nonce]);
      expect(await ask()).toMatchObject(FULL);
      const allocation = (await bench.row(nonce)) as Allocation;
      const signed = bench.sign(allocation);
      await bench.tell(allocation, 'intent', signed);
      expect(await bench.chain.send(signed.rawTx)).toMatchObject({ outcome: 'accepted' });
      await bench.tell(allocation, 'submitted', signed);
      expect(await ask()).toMatchObject(FULL);
      bench.chain.mine();
      await align();
    }
  });

  it('stays one, and its floor moves, while no provider says what code it has', async () => {
    bench.chain.isDelegated = () => Promise.resolve(null);
    bench.chain.startAt(bench.address, 4);
    await align();
    expect(noncesOf(await ask())).toEqual([4]);
    expect(await ask()).toMatchObject(FULL);
  });

  it('L3: gives back order, not nonces: what a pool would not take is kept until there is room', async () => {
    bench.chain.delegate(bench.address, false);
    await align();
    const [first, second] = (await bench.grant(2)) as [Allocation, Allocation];
    bench.chain.delegate(bench.address);
    await align();
    for (const allocation of [first, second]) {
      const signed = bench.sign(allocation);
      await bench.tell(allocation, 'intent', signed);
      await bench.chain.send(signed.rawTx);
    }
    expect(await bench.stage(second.nonce)).toBe('INTENT');
    for (let i = 0; i < 4; i += 1) {
      await bench.round();
      bench.chain.mine();
    }
    expect(bench.chain.executions('work 0')).toBe(1);
    expect(bench.chain.executions('work 1')).toBe(1);
  });

  it('has its whole window again once the delegation is gone', async () => {
    expect(await ask({ ids: tokens(2) })).toMatchObject(FULL);
    bench.chain.delegate(bench.address, false);
    await align();
    expect(noncesOf(await ask({ ids: tokens(3) }))).toEqual([0, 1, 2]);
  });

  it('L9, S6: an authorisation that others mined takes a nonce without any transaction of it', async () => {
    expect(noncesOf(await ask({ operationId: 'pay' }))).toEqual([0]);
    const held = (await bench.row(0)) as Allocation;
    bench.chain.authorise(bench.address);
    expect(await align()).toMatchObject({ chainLatest: 1, fenced: 0 });
    bench.chain.mine(2);
    expect(await align()).toMatchObject({ fenced: 1 });
    expect(bench.events).toContain('anomaly');
    await expect(bench.tell(held, 'intent', bench.sign(held))).rejects.toThrow(
      'NONCE_ALLOCATION_CLOSED',
    );
    expect(noncesOf(await ask({ operationId: 'pay' }))).toEqual([1]);
  });

  it('L9, S4: work that may be out at that nonce is not moved to another one', async () => {
    await ask({ operationId: 'pay' });
    const held = (await bench.row(0)) as Allocation;
    await bench.tell(held, 'intent', bench.sign(held));
    bench.chain.authorise(bench.address);
    await align();
    const answer = await ask({ operationId: 'pay' });
    expect(answer).toMatchObject({ kind: 'granted', replayed: true });
    expect(noncesOf(answer)).toEqual([0]);
  });
});

describe('I-45: a chain that refuses a nonce above the next one', () => {
  beforeEach(async () => {
    bench = await TrackingBench.open();
  });

  const strict = (overrides: Partial<AllocateRow> = {}) => ask({ strictNonce: true, ...overrides });
  const first = async () => (await bench.row(0)) as Allocation;

  it('gets n + 1 once a node took n, and not before', async () => {
    expect(noncesOf(await strict())).toEqual([0]);
    expect(await strict()).toMatchObject(FULL);
    const signed = bench.sign(await first());
    await bench.tell(await first(), 'intent', signed);
    expect(await strict()).toMatchObject(FULL);
    await bench.tell(await first(), 'submitted', signed);
    expect(noncesOf(await strict())).toEqual([1]);
  });

  it('L2: what is given back is issued before anything above it', async () => {
    await strict();
    await bench.tell(await first(), 'recyclable');
    expect(noncesOf(await strict())).toEqual([0]);
    expect(await strict()).toMatchObject(FULL);
  });

  it('never has two at once, whoever asks and in whatever batch', async () => {
    const rows = Array.from({ length: 5 }, () => rowOf(bench.submitter, { strictNonce: true }));
    const answers = await bench.fixture.store.allocate(batchOf(rows, { maxInFlight: 64 }));
    expect(answers.filter(({ kind }) => kind === 'granted')).toHaveLength(1);
    expect(await strict({ ids: tokens(2) })).toMatchObject(FULL);
  });

  it('goes on past a nonce that only the chain can settle', async () => {
    await strict();
    const [quarantined] = [await first()];
    await bench.tell(quarantined, 'quarantine');
    expect(await strict()).toMatchObject(FULL);
    const tx = { from: bench.address, nonce: 0, payload: 'the same holder', feePerGas: 1 };
    await bench.chain.send(bench.chain.sign(tx).rawTx);
    bench.chain.mine();
    await align();
    expect(noncesOf(await strict())).toEqual([1]);
  });
});

describe('L8: a counter ahead of the chain', () => {
  it('comes back to the chain’s count, lowest first, when nothing between was exposed', async () => {
    bench = await TrackingBench.open();
    const held = await bench.grant(6);
    for (const allocation of held) await bench.tell(allocation, 'recyclable');
    await align();
    expect(noncesOf(await ask({ ids: tokens(4) }))).toEqual([0, 1, 2, 3]);
  });

  it('fills exposed nonces lowest first once they may be replaced', async () => {
    bench = await TrackingBench.open();
    bench.quarantine = { ms: 0, release: 'replacement' };
    const held = await bench.grant(3, { exposure: 'assumed' });
    for (const allocation of held) await bench.tell(allocation, 'quarantine');
    const answer = await ask({ ids: tokens(4) });
    expect(noncesOf(answer)).toEqual([0, 1, 2, 3]);
    const sources = answer?.kind === 'granted' ? answer.allocations.map((a) => a.source) : [];
    expect(sources).toEqual(['replacement', 'replacement', 'replacement', 'fresh']);
  });
});

it('I-42, L9: foreign use over live holders fences the unsent, keeps the sent, and moves on once', async () => {
  bench = await TrackingBench.open({ finalityDepth: 1 });
  const [unsent, sent] = (await bench.grant(2)) as [Allocation, Allocation];
  await bench.tell(sent, 'intent', bench.sign(sent));
  for (const nonce of [0, 1, 2, 3]) {
    const tx = { from: bench.address, nonce, payload: `foreign ${nonce}`, feePerGas: 1 };
    await bench.chain.send(bench.chain.sign(tx).rawTx);
  }
  bench.chain.mine(2);
  expect(await align()).toMatchObject({ chainLatest: 4, foreignUse: 2, fenced: 1 });
  expect(await bench.stage(unsent.nonce)).toBe('CONSUMED_EXTERNAL');
  expect(await bench.stage(sent.nonce)).toBe('INTENT');
  expect(noncesOf(await ask())).toEqual([4]);
});
