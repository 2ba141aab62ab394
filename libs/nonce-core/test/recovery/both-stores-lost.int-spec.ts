import { ChainBaseline } from '../../src/recovery/chain-baseline';
import { batchOf, openStore, QUARANTINE, rowOf, type StoreFixture } from '../support/store-fixture';
import { TrackingBench } from '../tracking/tracking-bench';

let bench: TrackingBench;
let fresh: StoreFixture | undefined;
beforeEach(async () => {
  bench = await TrackingBench.open();
});
afterEach(async () => {
  await fresh?.close();
  await bench.close();
});

/** A database that knows nothing, as after a loss of both stores; the chain went on. */
async function startAnew(): Promise<StoreFixture> {
  fresh = await openStore();
  const baseline = await new ChainBaseline(bench.chains, QUARANTINE).resolve(bench.submitter);
  await fresh.store.open({ ...baseline, engine: 'reliable' });
  return fresh;
}

async function stages(store: StoreFixture): Promise<readonly string[]> {
  const { rows } = await store.database.pool.query<{ nonce: number; stage: string }>(
    'SELECT nonce::int, stage FROM submitter_nonce_allocation ORDER BY nonce',
  );
  return rows.map(({ nonce, stage }) => `${String(nonce)} ${stage}`);
}

it('S8, I-20: nothing that was sent is issued clean again, and what was not is', async () => {
  const grants = await bench.grant(5);
  for (const [index, grant] of grants.slice(0, 4).entries()) {
    const { rawTx, txHash } = bench.sign(grant);
    await bench.tell(grant, 'intent', { txHash, rawTx });
    await bench.chain.send(rawTx);
    if (index === 1) bench.chain.mine();
  }
  const store = await startAnew();
  expect(await stages(store)).toEqual(['2 QUARANTINED', '3 QUARANTINED']);
  const row = rowOf(bench.submitter, { ids: [crypto.randomUUID(), crypto.randomUUID()] });
  const [answer] = await store.store.allocate(batchOf([row]));
  if (answer?.kind !== 'granted') throw new Error(JSON.stringify(answer));
  expect(answer.allocations.map(({ nonce, source }) => [nonce, source])).toEqual([
    [4, 'fresh'],
    [5, 'fresh'],
  ]);
  // The holder of before never got to send, and cannot any more.
  const late = grants[4];
  if (late === undefined) throw new Error('no grant');
  const { txHash, rawTx } = bench.sign(late);
  const { id, submitter, nonce } = late;
  const command = { command: 'intent', id, submitter, nonce, txHash, rawTx, note: null } as const;
  const [refused] = await store.store.command(
    [{ ...command, ttlMs: 60_000, followable: true }],
    QUARANTINE,
  );
  expect(refused).toMatchObject({ kind: 'refused', code: 'NONCE_FENCED' });
});

it('S8, I-20: a gap below what the pool holds starts in quarantine, not skipped', async () => {
  const grants = await bench.grant(3);
  for (const grant of [grants[0], grants[2]]) {
    if (grant === undefined) throw new Error('no grant');
    const { rawTx, txHash } = bench.sign(grant);
    await bench.tell(grant, 'intent', { txHash, rawTx });
    await bench.chain.send(rawTx);
  }
  const store = await startAnew();
  const known = await stages(store);
  expect(known[0]).toBe('0 QUARANTINED');
  const { rows } = await store.database.pool.query<{ base: number }>(
    'SELECT base::int FROM submitter_nonce_state',
  );
  expect(rows).toEqual([{ base: 0 }]);
});
