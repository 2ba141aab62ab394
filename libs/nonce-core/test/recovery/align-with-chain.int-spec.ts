import { NonceError } from '../../src/domain/errors/nonce-error';
import { parseSubmitter } from '../../src/domain/submitter';
import { AlignmentSweep } from '../../src/recovery/alignment-sweep';
import { baselineOf, newSubmitter } from '../support/store-fixture';
import { TrackingBench } from '../tracking/tracking-bench';

let bench: TrackingBench;
afterEach(() => bench.close());

async function used(count: number): Promise<void> {
  for (let nonce = 0; nonce < count; nonce += 1) {
    const foreign = { from: bench.address, nonce, payload: `foreign ${nonce}`, feePerGas: 1 };
    await bench.chain.send(bench.chain.sign(foreign).rawTx);
  }
  bench.chain.mine();
}

const align = () => bench.alignment.alignWithChain(bench.submitter);

it('L9: foreign use moves the counter in one step and is announced', async () => {
  bench = await TrackingBench.open();
  await used(3);
  expect(await align()).toMatchObject({ foreignUse: 3, chainLatest: 3, lastChainNonce: null });
  expect(bench.events).toContain('anomaly');
  bench.chain.mine(3);
  expect(await align()).toMatchObject({ foreignUse: 0, lastChainNonce: 2 });
});

it('a finality tag that never moves is replaced by depth, counted on the canonical chain', async () => {
  bench = await TrackingBench.open({ finalityDepth: 1_000 });
  await used(2);
  expect((await align()).lastChainNonce).toBeNull();
  bench.chain.mine(49);
  expect((await align()).lastChainNonce).toBeNull();
  bench.chain.mine(1);
  expect((await align()).lastChainNonce).toBe(1);
});

it('S15: a count seen in a block that a reorg replaced never becomes final', async () => {
  bench = await TrackingBench.open({ finalityDepth: 1_000 });
  await used(2);
  await align();
  bench.chain.reorg(1, { reinject: false });
  bench.chain.mine(60);
  expect((await align()).lastChainNonce).toBeNull();
});

it('L13: a dev chain that was restarted is NONCE_CHAIN_RESET', async () => {
  bench = await TrackingBench.open();
  await bench.fixture.database.pool.query(
    `UPDATE submitter_nonce_state SET genesis_hash = '0xother' WHERE submitter = $1`,
    [bench.submitter],
  );
  await expect(align()).rejects.toMatchObject({ code: 'NONCE_CHAIN_RESET' });
});

it('refuses what it cannot know: another chain, an unused submitter, a silent node', async () => {
  bench = await TrackingBench.open();
  const elsewhere = parseSubmitter({ chainId: 5, address: bench.address });
  const code = (submitter: typeof elsewhere) =>
    bench.alignment.alignWithChain(submitter).then(
      () => 'aligned',
      (error: unknown) => (error instanceof NonceError ? error.code : 'other'),
    );
  expect(await code(elsewhere)).toBe('NONCE_CHAIN_UNKNOWN');
  expect(await code(newSubmitter(bench.chain.chainId))).toBe('NONCE_SUBMITTER_UNKNOWN');
  bench.chain.setAway(true);
  expect(await code(bench.submitter)).toBe('NONCE_CHAIN_UNREACHABLE');
});

describe('the sweep', () => {
  const sweepOf = (intervalMs: number) =>
    new AlignmentSweep(
      { ...bench.deps(), submitters: bench.submitters, alignment: bench.alignment },
      { intervalMs, batchMax: 3, concurrency: 2 },
    );

  it('aligns who was aligned longest ago first, a batch at a time, and nobody too soon', async () => {
    bench = await TrackingBench.open();
    const others = Array.from({ length: 4 }, () => newSubmitter(bench.chain.chainId));
    for (const submitter of others) await bench.fixture.store.open(baselineOf(submitter));
    expect(await sweepOf(60_000).tick()).toBe(3);
    expect(await sweepOf(60_000).tick()).toBe(1);
    expect(await sweepOf(60_000).tick()).toBe(0);
  });

  it('goes on after a submitter that fails, and stops at a chain that does not answer', async () => {
    bench = await TrackingBench.open();
    const broken = newSubmitter(bench.chain.chainId);
    await bench.fixture.store.open(baselineOf(broken, { genesisHash: `0x${'9'.repeat(64)}` }));
    await bench.fixture.store.open(baselineOf(newSubmitter(bench.chain.chainId)));
    expect(await sweepOf(0).tick()).toBeGreaterThanOrEqual(2);
    bench.chain.setAway(true);
    expect(await sweepOf(0).tick()).toBe(0);
  });
});
