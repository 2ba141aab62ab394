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
const [CLOSED, KEYLESS, POOR] = [1, 2, 3];

let folder: string;
let store: StoreFixture;
let chain: TestChain;
let worker: WorkerProcess;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'noncekit-burn-keys-'));
  [store, chain] = await Promise.all([openStore(), startTestChain({ noMining: true })]);
  const keysFile = join(folder, 'keys');
  const keys = [CLOSED, POOR].map((account) => burnKeyOf(chain, account));
  writeFileSync(keysFile, ['# accounts that may be burned', ...keys, ''].join('\n'), {
    mode: 0o600,
  });
  worker = await WorkerProcess.start(store.database, chain, {
    NONCE_QUARANTINE_RELEASE: 'burn',
    NONCE_BURN_KEYS_FILE: keysFile,
  });
});
afterAll(async () => {
  await worker.process.stop();
  await Promise.all([store.close(), chain.close()]);
  rmSync(folder, { recursive: true });
});

/** Of an intent whose hash no node ever saw. */
async function quarantined(account: number): Promise<{ wallet: Wallet; nonce: number }> {
  const wallet = await Wallet.open(store, chain, account);
  const { nonce } = await wallet.abandonedIntent(false);
  return { wallet, nonce };
}

async function noteOf(wallet: Wallet): Promise<string | undefined> {
  const { rows } = await store.database.pool.query<{ note: string }>(
    `SELECT note FROM submitter_nonce_allocation
     WHERE submitter = $1 AND stuck_since IS NOT NULL`,
    [wallet.submitter],
  );
  return rows[0]?.note;
}

async function reported(wallet: Wallet): Promise<string> {
  const describe = `a nonce of ${wallet.submitter} to be stuck`;
  return waitFor(async () => (await noteOf(wallet)) ?? false, { describe });
}

it('I-31: a nonce that nobody heard of again is closed by a transfer of nothing', async () => {
  const { wallet, nonce } = await quarantined(CLOSED);
  await wallet.reaches(nonce, ['BURNING']);
  const { tx_hash: burn } = await wallet.row(nonce);
  await waitFor(() => wallet.pooled(burn as `0x${string}`), { describe: 'the burn in the pool' });
  await chain.mine();
  await chain.mine(6);
  await wallet.reaches(nonce, ['BURNT']);
  expect(await wallet.row(nonce)).toEqual({ stage: 'BURNT', tx_hash: burn, proof: 'receipt' });
  const [next] = await wallet.grant();
  expect(next).toMatchObject({ nonce: nonce + 1, source: 'fresh' });
});

it('a nonce of an account without a key is reported, and the others go on', async () => {
  const { wallet, nonce } = await quarantined(KEYLESS);
  expect(await reported(wallet)).toMatch(/no key of this account/);
  expect((await wallet.row(nonce)).stage).toBe('QUARANTINED');
  const [next] = await wallet.grant();
  expect(next).toMatchObject({ nonce: nonce + 1 });
});

it('an account that cannot pay is reported, and its nonce is closed once it can', async () => {
  const { address } = chain.account(POOR);
  await chain.server.rpc('anvil_setBalance', [address, '0x0']);
  const { wallet, nonce } = await quarantined(POOR);
  expect(await reported(wallet)).toMatch(/the burn is not accepted: .*insufficient funds/i);
  await chain.server.rpc('anvil_setBalance', [address, '0xde0b6b3a7640000']);
  const { tx_hash: burn } = await wallet.row(nonce);
  await waitFor(() => wallet.pooled(burn as `0x${string}`), { describe: 'the burn in the pool' });
  await waitFor(async () => (await noteOf(wallet)) === undefined, {
    describe: 'the report to end',
  });
  await chain.mine(7);
  await wallet.reaches(nonce, ['BURNT']);
});

it.each([
  ['without keys', {}, 'NONCE_QUARANTINE_RELEASE burn needs NONCE_BURN_KEYS_FILE'],
  ['with a bad line', { text: '0x1234' }, 'NONCE_BURN_KEYS_FILE/1 must be 0x and 64'],
  ['with an empty file', { text: '# none' }, 'NONCE_BURN_KEYS_FILE names a file without keys'],
  ['with a number that is no key', { text: `0x${'00'.repeat(32)}` }, 'is not a private key'],
])(
  'does not start under burn %s, and never prints a key',
  async (_, { text }: { text?: string }, said) => {
    const file = join(folder, 'bad');
    if (text !== undefined) writeFileSync(file, text);
    const ended = NodeProcess.start(MAIN, {
      environment: {
        ...environmentOf(store.database, chain),
        NONCE_QUARANTINE_RELEASE: 'burn',
        ...(text === undefined ? {} : { NONCE_BURN_KEYS_FILE: file }),
      },
    });
    expect((await ended.ended).exitCode).toBe(1);
    expect(ended.output).toContain(said);
    if (text?.startsWith('0x') === true) expect(ended.output).not.toContain(text);
  },
);
