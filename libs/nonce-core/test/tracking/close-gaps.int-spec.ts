import { ReliableEngine } from '../../src/engines/reliable/reliable-engine';
import type { BurnSigner, BurnSigning } from '../../src/ports/burn-signer.port';
import { NO_METRICS } from '../../src/ports/metrics.port';
import { PostgresAllocationStore } from '../../src/postgres/postgres-allocation-store';
import { CloseGaps } from '../../src/tracking/close-gaps';
import { ALWAYS_GRANTED, SYSTEM_CLOCK } from '../contract/postgres-subject';
import { TrackingBench } from './tracking-bench';

const SETTLED_MS = 30_000;

let bench: TrackingBench;
let engine: ReliableEngine;
let refusal: Exclude<BurnSigning, { kind: 'signed' }> | null;

beforeEach(async () => {
  bench = await TrackingBench.open();
  refusal = null;
  engine = new ReliableEngine({
    store: new PostgresAllocationStore(bench.fixture.runner),
    submitters: bench.submitters,
    baseline: { resolve: () => Promise.reject(new Error('it is open')) },
    chains: bench.chains,
    locks: ALWAYS_GRANTED,
    clock: SYSTEM_CLOCK,
    metrics: NO_METRICS,
    events: { publish: () => undefined },
  });
});
afterEach(async () => {
  await engine.stop(5_000);
  await bench.close();
});

const signer: BurnSigner = {
  sign: async ({ address: from, nonce }) =>
    refusal ?? {
      kind: 'signed',
      ...bench.chain.sign({ from, nonce, payload: `burn ${nonce}`, feePerGas: 10 }),
    },
};

function closer(burnSigner: BurnSigner | null): CloseGaps {
  return new CloseGaps({ ...bench.deps(), engine, burnSigner }, SETTLED_MS);
}

/** 0 and 2 are out, 1 was given back by its holder before it signed, so long ago. */
async function gapAtOne(idleMs: number): Promise<void> {
  const [first, given, third] = await bench.grant(3);
  if (first === undefined || given === undefined || third === undefined)
    throw new Error('granted?');
  for (const each of [first, third]) {
    const { rawTx, txHash } = bench.sign(each);
    await bench.tell(each, 'intent', { txHash, rawTx });
    await bench.chain.send(rawTx);
    await bench.tell(each, 'submitted', { txHash });
  }
  await bench.tell(given, 'recyclable');
  await bench.fixture.database.pool.query(
    `UPDATE submitter_nonce_allocation SET updated_at = now() - $1 * interval '1 ms'
      WHERE stage = 'REUSABLE'`,
    [idleMs],
  );
}

const stages = () => Promise.all([0, 1, 2].map((nonce) => bench.stage(nonce)));

describe('I-12, L1: a gap behind which nobody asks for nonces any more', () => {
  it('is closed by a transfer of nothing, recorded before it is sent; what waited above it mines', async () => {
    await gapAtOne(SETTLED_MS);
    expect(await closer(signer).tick()).toBe(1);
    expect(await stages()).toEqual(['BROADCAST', 'BROADCAST', 'BROADCAST']);
    bench.chain.mine(6);
    for (let round = 0; round < 4; round += 1) await bench.round();
    expect(await stages()).toEqual(['FINAL', 'FINAL', 'FINAL']);
    expect(['work 0', 'burn 1', 'work 2'].map((work) => bench.chain.executions(work))).toEqual([
      1, 1, 1,
    ]);
    expect(await closer(signer).tick()).toBe(0);
  });

  it('is left to traffic for a while, and to whoever asks for a nonce first', async () => {
    await gapAtOne(SETTLED_MS / 2);
    expect(await closer(signer).tick()).toBe(0);
    expect(await bench.stage(1)).toBe('REUSABLE');
  });

  it('is no gap when nothing above it waits', async () => {
    const [only] = await bench.grant(1);
    if (only === undefined) throw new Error('granted?');
    await bench.tell(only, 'recyclable');
    await bench.age(0);
    expect(await closer(signer).tick()).toBe(0);
  });

  it('S16: is closed once by two workers, and the other gives back what it was granted instead', async () => {
    await gapAtOne(SETTLED_MS);
    const closed = await Promise.all([closer(signer).tick(), closer(signer).tick()]);
    expect(closed.reduce((sum, each) => sum + each, 0)).toBe(1);
    expect(await stages()).toEqual(['BROADCAST', 'BROADCAST', 'BROADCAST']);
    expect([undefined, 'REUSABLE']).toContain(await bench.stage(3));
  });

  it('stays reusable when nobody signs, and is told with what helps, once', async () => {
    await gapAtOne(SETTLED_MS);
    refusal = { kind: 'refused', reason: 'the fee is above the bound' };
    expect(await closer(signer).tick()).toBe(0);
    expect(await bench.stage(1)).toBe('REUSABLE');
    await gapIdle();
    const without = closer(null);
    await without.tick();
    await without.tick();
    expect(bench.events.filter((event) => event === 'gap.opened')).toHaveLength(2);
    const [next] = await bench.grant(1);
    expect(next?.nonce).toBe(1);
    await without.tick();
    expect(bench.events).toContain('gap.closed');
  });
});

async function gapIdle(): Promise<void> {
  await bench.fixture.database.pool.query(
    `UPDATE submitter_nonce_allocation SET updated_at = now() - $1 * interval '1 ms'
      WHERE stage = 'REUSABLE'`,
    [SETTLED_MS],
  );
}
