import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { burnKeyOf } from '@noncekit/test-support/burn-signer';
import { NodeProcess } from '@noncekit/test-support/node-process';
import { openStore, type StoreFixture } from '@noncekit/test-support/store-fixture';
import { startTestChain, type TestChain } from '@noncekit/test-support/test-chain';
import { waitFor } from '@noncekit/test-support/wait-for';
import { Wallet } from './support/wallet';
import { environmentOf, WorkerProcess } from './support/worker-process';

const MAIN = resolve(__dirname, '../main.ts');
const [RAISED, KEYLESS] = [1, 2];

let folder: string;
let keysFile: string;
let store: StoreFixture;
let chain: TestChain;
let worker: WorkerProcess;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'noncekit-signer-keys-'));
  keysFile = join(folder, 'keys');
  [store, chain] = await Promise.all([openStore(), startTestChain({ noMining: true })]);
  writeFileSync(keysFile, `${burnKeyOf(chain, RAISED)}\n`, { mode: 0o600 });
  worker = await WorkerProcess.start(store.database, chain, {
    NONCE_SIGNER_KEYS_FILE: keysFile,
    NONCE_STUCK_AFTER_MS: '1000',
  });
});
afterAll(async () => {
  await worker.process.stop();
  await Promise.all([store.close(), chain.close()]);
  rmSync(folder, { recursive: true });
});

it('L7: a transaction that waits too long in the pool is signed again at a higher fee, and mines once', async () => {
  const wallet = await Wallet.open(store, chain, RAISED);
  const { nonce, txHash } = await wallet.abandonedIntent();
  const raised = await waitFor(
    async () => {
      const { tx_hash: hash } = await wallet.row(nonce);
      return hash !== txHash && (await wallet.pooled(hash as `0x${string}`)) && hash;
    },
    { describe: 'a dearer transaction in the pool' },
  );
  expect(await wallet.pooled(txHash)).toBe(false);
  await chain.mine(7);
  await wallet.reaches(nonce, ['MINED', 'CONFIRMED', 'FINAL']);
  expect(await wallet.row(nonce)).not.toMatchObject({ tx_hash: txHash });
  expect(raised).toMatch(/^0x/);
});

it('one of an account without a key is reported and left as it is', async () => {
  const wallet = await Wallet.open(store, chain, KEYLESS);
  const { nonce, txHash } = await wallet.abandonedIntent();
  await waitFor(
    async () => {
      const { rows } = await store.database.pool.query(
        `SELECT note FROM submitter_nonce_allocation
         WHERE submitter = $1 AND stuck_since IS NOT NULL`,
        [wallet.submitter],
      );
      return rows.length > 0;
    },
    { describe: 'a report of the nonce' },
  );
  expect(await wallet.pooled(txHash)).toBe(true);
  expect(await wallet.row(nonce)).toMatchObject({ tx_hash: txHash });
});

it('does not start with a file of keys that it cannot read', async () => {
  const file = join(folder, 'bad');
  writeFileSync(file, '0x1234');
  const ended = NodeProcess.start(MAIN, {
    environment: { ...environmentOf(store.database, chain), NONCE_SIGNER_KEYS_FILE: file },
  });
  expect((await ended.ended).exitCode).toBe(1);
  expect(ended.output).toContain('NONCE_SIGNER_KEYS_FILE/1 must be 0x and 64');
});
