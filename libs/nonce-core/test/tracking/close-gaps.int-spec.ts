import { ReliableEngine } from '../../src/engines/reliable/reliable-engine';
import type { BurnSigner, BurnSigning } from '../../src/ports/burn-signer.port';
import { NO_METRICS } from '../../src/ports/metrics.port';
import { PostgresAllocationStore } from '../../src/postgres/postgres-allocation-store';
import { PostgresModeStore } from '../../src/postgres/postgres-mode-store';
import { CloseGaps } from '../../src/tracking/close-gaps';
import { commandOf, FastEpochBench, grantOf } from '../support/fast-epochs';
import { switchTo } from '../support/mode-switches';
import { QUARANTINE } from '../support/store-fixture';
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

/**
 * A strict epoch with room for 8 nonces of which its store lost all but one: 2, whose intent is here.
 * It was closed so long ago.
 */
async function lostStore(idleMs: number): Promise<void> {
  const fast = new FastEpochBench(bench.fixture);
  const epoch = await fast.enter(bench.submitter, { raise: 8 });
  const grant = grantOf(epoch, 2);
  const { rawTx, txHash } = bench.chain.sign({
    ...{ from: bench.address, nonce: grant.nonce, payload: 'work 2', feePerGas: 10 },
  });
  const row = { ...commandOf('intent', grant), txHash, rawTx, followable: true };
  expect(await bench.fixture.store.command([row], QUARANTINE)).toMatchObject([{ kind: 'done' }]);
  await bench.chain.send(rawTx);
  const { epoch: modeEpoch } = await switchTo(
    new PostgresModeStore(bench.fixture.runner),
    'RELIABLE',
  );
  const ending = { epoch: epoch.view.epoch, retiredNext: null };
  expect(await fast.takeOver(bench.submitter, ending, modeEpoch)).toBe('taken');
  await bench.fixture.database.pool.query(
    `UPDATE epoch_log SET opened_at = now() - $2 * interval '1 ms' WHERE submitter = $1`,
    [bench.submitter, idleMs],
  );
}

describe('I-12, L1: numbers of a closed strict range, which have no row, below one that was sent', () => {
  it('are closed one by one until the chain takes what waited above them', async () => {
    await lostStore(SETTLED_MS);
    expect(await bench.stage(0)).toBeUndefined();
    expect(await closer(signer).tick()).toBe(1);
    expect(await closer(signer).tick()).toBe(1);
    expect(await stages()).toEqual(['BROADCAST', 'BROADCAST', 'INTENT']);
    expect(await closer(signer).tick()).toBe(0);
    bench.chain.mine(6);
    for (let round = 0; round < 6; round += 1) await bench.round();
    expect(['burn 0', 'burn 1', 'work 2'].map((work) => bench.chain.executions(work))).toEqual([
      1, 1, 1,
    ]);
  });

  it('are left to traffic for a while', async () => {
    await lostStore(SETTLED_MS / 2);
    expect(await closer(signer).tick()).toBe(0);
    expect(await bench.stage(0)).toBeUndefined();
  });

  it('are told with what helps when nobody signs, and are still issued first', async () => {
    await lostStore(SETTLED_MS);
    await closer(null).tick();
    expect(bench.events).toContain('gap.opened');
    const granted = await bench.grant(3);
    expect(granted.map(({ nonce }) => nonce)).toEqual([0, 1, 3]);
  });
});

async function gapIdle(): Promise<void> {
  await bench.fixture.database.pool.query(
    `UPDATE submitter_nonce_allocation SET updated_at = now() - $1 * interval '1 ms'
      WHERE stage = 'REUSABLE'`,
    [SETTLED_MS],
  );
}
