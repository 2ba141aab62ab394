import { openStore, type StoreFixture } from '@noncekit/test-support/store-fixture';
import { startTestChain, type TestChain } from '@noncekit/test-support/test-chain';
import { waitFor } from '@noncekit/test-support/wait-for';
import { Wallet } from './support/wallet';
import { WorkerProcess } from './support/worker-process';

let store: StoreFixture;
let chain: TestChain;
let worker: WorkerProcess;
let lastWallet = 0;

beforeAll(async () => {
  [store, chain] = await Promise.all([
    openStore(),
    startTestChain({ noMining: true, accounts: 20 }),
  ]);
  worker = await WorkerProcess.start(store.database, chain);
});
afterAll(async () => {
  await worker.process.stop();
  await Promise.all([store.close(), chain.close()]);
});

async function newWallet(): Promise<Wallet> {
  lastWallet += 1;
  return Wallet.open(store, chain, lastWallet);
}

describe('an intent whose node died', () => {
  it('K4: is sent by the worker with the same bytes and followed until it is final', async () => {
    const wallet = await newWallet();
    const { nonce, txHash } = await wallet.abandonedIntent();
    await wallet.reaches(nonce, ['BROADCAST']);
    expect(await wallet.pooled(txHash)).toBe(true);
    await chain.mine();
    await wallet.reaches(nonce, ['MINED']);
    await chain.mine(2);
    await wallet.reaches(nonce, ['CONFIRMED']);
    await chain.mine(4);
    await wallet.reaches(nonce, ['FINAL']);
    expect(await wallet.row(nonce)).toMatchObject({ tx_hash: txHash, proof: 'receipt' });
  });

  it('K5: sent without a reply, is found known and mined once', async () => {
    const wallet = await newWallet();
    const { nonce, rawTx, txHash } = await wallet.abandonedIntent();
    await wallet.send(rawTx);
    await wallet.reaches(nonce, ['BROADCAST']);
    await chain.mine();
    await wallet.reaches(nonce, ['MINED', 'CONFIRMED']);
    expect((await wallet.row(nonce)).tx_hash).toBe(txHash);
  });

  it('K6: taken by a node and not recorded, is found in its pool by the hash alone', async () => {
    const wallet = await newWallet();
    const { nonce, rawTx } = await wallet.abandonedIntent(false);
    await wallet.send(rawTx);
    await wallet.reaches(nonce, ['BROADCAST']);
  });

  it('K7: mined and not recorded, is settled by its own hash', async () => {
    const wallet = await newWallet();
    const { nonce, rawTx, txHash } = await wallet.abandonedIntent(false);
    await wallet.send(rawTx);
    await chain.mine();
    await wallet.reaches(nonce, ['MINED', 'CONFIRMED', 'FINAL']);
    expect((await wallet.row(nonce)).tx_hash).toBe(txHash);
  });

  it('goes to quarantine when only a hash is known and no node ever saw it', async () => {
    const wallet = await newWallet();
    const { nonce } = await wallet.abandonedIntent(false);
    await wallet.reaches(nonce, ['QUARANTINED']);
  });
});

it('L7: a transaction that the pool dropped is sent again, byte for byte', async () => {
  const wallet = await newWallet();
  const { nonce, txHash } = await wallet.abandonedIntent();
  await wallet.reaches(nonce, ['BROADCAST']);
  for (let drop = 0; drop < 2; drop += 1) {
    await chain.server.rpc('anvil_dropTransaction', [txHash]);
    expect(await wallet.pooled(txHash)).toBe(false);
    await waitFor(() => wallet.pooled(txHash), { describe: 'the same transaction in the pool' });
  }
  await chain.mine();
  await wallet.reaches(nonce, ['MINED', 'CONFIRMED']);
});

it('K8: after a reorg the stored bytes are sent again and mined on the new branch', async () => {
  const wallet = await newWallet();
  const { nonce, txHash } = await wallet.abandonedIntent();
  await wallet.reaches(nonce, ['BROADCAST']);
  await chain.mine();
  await wallet.reaches(nonce, ['MINED']);
  await chain.server.rpc('anvil_reorg', [1, []]);
  await wallet.reaches(nonce, ['BROADCAST']);
  await waitFor(() => wallet.pooled(txHash), { describe: 'the transaction in the pool again' });
  await chain.mine();
  await wallet.reaches(nonce, ['MINED', 'CONFIRMED']);
  expect((await wallet.row(nonce)).tx_hash).toBe(txHash);
});

it('L9: foreign use of the account moves the counter to the chain’s in one step', async () => {
  const wallet = await newWallet();
  for (const nonce of [0, 1, 2]) await wallet.send((await wallet.sign(nonce, 7n)).rawTx);
  await chain.mine();
  await waitFor(
    async () => {
      const [allocation] = await wallet.grant(1, 60_000);
      return allocation?.nonce === 3;
    },
    { describe: 'nonce 3 to be the next one', everyMs: 500 },
  );
  expect(await worker.metric('nonce_anomalies_total', 'foreign-use')).toBeGreaterThan(0);
});

it('L6: a reservation whose holder died unsent is reusable after the sweep', async () => {
  const wallet = await newWallet();
  const [allocation] = await wallet.grant();
  await wallet.reaches(allocation?.nonce ?? 0, ['REUSABLE']);
});

describe('the admin port', () => {
  it('tells that the worker lives, is ready, and what its jobs did', async () => {
    expect((await worker.get('/livez')).status).toBe(200);
    expect((await worker.get('/readyz')).status).toBe(200);
    const health = JSON.parse((await worker.get('/health')).text) as { status: string };
    expect(health.status).toBe('ok');
    expect((await worker.get('/version')).text).toContain('flush-worker');
    const job = 'job="reclaim"';
    const tick = await worker.metric('nonce_worker_last_tick_timestamp_seconds', job);
    expect(Date.now() / 1_000 - tick).toBeLessThan(10);
    expect(await worker.metric('nonce_worker_ticks_total', 'result="failed"')).toBe(0);
  });

  it('has nothing else, and takes nothing but reads', async () => {
    expect((await worker.get('/v1/submitters')).status).toBe(404);
    const answer = await fetch(`${worker.adminUrl}/livez`, { method: 'POST' });
    expect(answer.status).toBe(405);
  });
});
