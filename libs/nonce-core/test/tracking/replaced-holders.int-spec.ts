import type { Allocation, Exposure } from '../../src/domain/allocation';
import type { Hex } from '../../src/domain/brand';
import { batchOf, rowOf } from '../support/store-fixture';
import { TrackingBench } from './tracking-bench';

describe('a nonce that one holder after the other may have used', () => {
  let bench: TrackingBench;

  beforeEach(async () => {
    bench = await TrackingBench.open();
  });

  afterEach(async () => {
    await bench.close();
  });

  async function grant(operationId: string, exposure: Exposure = 'inferred'): Promise<Allocation> {
    const answer = await ask(operationId, exposure);
    if (answer?.kind !== 'granted') throw new Error(JSON.stringify(answer));
    const [allocation] = answer.allocations;
    if (allocation === undefined) throw new Error('an empty grant');
    return allocation;
  }

  async function ask(operationId: string, exposure: Exposure = 'inferred') {
    const row = rowOf(bench.submitter, { operationId, exposure });
    return (await bench.fixture.store.allocate(batchOf([row])))[0];
  }

  /** The first holder recorded only a hash, is gone, and its transaction is in no pool we know. */
  async function replaceFirst(): Promise<{ readonly later: Allocation; readonly rawTx: Hex }> {
    const first = await grant('first');
    const { txHash, rawTx } = bench.sign(first, 'first');
    await bench.tell(first, 'intent', { txHash });
    await bench.dueNow();
    await bench.round();
    expect(await bench.stage(0)).toBe('QUARANTINED');
    await bench.fixture.database.pool.query(
      'UPDATE submitter_nonce_allocation SET release_at = now() WHERE release_at IS NOT NULL',
    );
    const later = await grant('later');
    expect(later).toMatchObject({ nonce: 0, source: 'replacement', hashes: [txHash] });
    return { later, rawTx };
  }

  /** Rounds until everything is final and every second look is over. */
  async function settle(): Promise<void> {
    bench.chain.mine(60);
    for (let round = 0; round < 6; round += 1) {
      await bench.alignment.alignWithChain(bench.submitter);
      await bench.age(60_000);
      await bench.round();
      bench.chain.mine(60);
    }
  }

  it('S5: reports success to the earlier holder and none to the later one when the earlier bytes are mined', async () => {
    const { later, rawTx } = await replaceFirst();
    const own = bench.sign(later, 'later');
    await bench.tell(later, 'intent', own);
    await bench.chain.send(rawTx);
    await settle();
    expect([bench.chain.executions('first'), bench.chain.executions('later')]).toEqual([1, 0]);
    expect(await bench.row(0)).toMatchObject({ stage: 'CONSUMED_EXTERNAL', proof: 'receipt' });
    const again = await grant('later');
    expect(again).toMatchObject({ nonce: 1, source: 'fresh' });
    const first = { operationId: 'first', nonce: 0, stage: 'FINAL', proof: 'receipt' };
    expect(await ask('first')).toMatchObject({ replayed: true, allocations: [first] });
  });

  it('S4: gives the later holder no second nonce when it sent bytes that nobody was told of', async () => {
    const { later } = await replaceFirst();
    await bench.tell(later, 'used');
    await bench.chain.send(bench.sign(later, 'later').rawTx);
    await settle();
    expect(bench.chain.executions('later')).toBe(1);
    expect(await bench.row(0)).toMatchObject({ stage: 'ASSERTED' });
    expect(await ask('later')).toMatchObject({ kind: 'granted', replayed: true });
  });
});
