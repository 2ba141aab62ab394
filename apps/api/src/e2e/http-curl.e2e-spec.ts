import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { installedProgram } from '@noncekit/tools';
import { startTestChain, type TestChain } from '@noncekit/test-support/test-chain';
import { toHex } from 'viem';
import { startApi, type ApiFixture } from './support/api-fixture';

const EXAMPLE = resolve(__dirname, '../../../../examples/http-curl');
const SIGN = `${process.execPath} ${EXAMPLE}/sign.mjs`;
const SHOP = `0x${'5e'.repeat(20)}` as const;

const CURL = {
  name: 'curl',
  programs: ['curl'],
  packages: [['curl']],
  fix: 'install it ("apt-get install curl")',
};

let chain: TestChain;
let api: ApiFixture;
let apiKey: string;
beforeAll(async () => {
  await installedProgram(CURL, () => undefined);
  chain = await startTestChain();
  api = await startApi({
    NONCE_CHAINS: String(chain.chainId),
    [`NONCE_CHAIN_${chain.chainId}_RPC_URLS`]: chain.rpcUrl,
  });
  apiKey = await api.createKey('curl', ['nonce:allocate']);
});
afterAll(async () => {
  await api.close();
  await chain.close();
});

/** Runs the script as its reader would; `sign` replaces the signer. */
function transfer(operation: string, sign = SIGN): Promise<{ code: number | null; text: string }> {
  const submitter = `eip155:${chain.chainId}:${chain.account(0).address}`;
  const script = spawn(`${EXAMPLE}/transfer.sh`, [submitter, operation], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NONCE_API_URL: api.server.addresses.publicUrl,
      NONCE_API_KEY: apiKey,
      RPC_URL: chain.rpcUrl,
      SIGN: sign,
      CHAIN_ID: String(chain.chainId),
      PRIVATE_KEY: toHex(chain.account(0).getHdKey().privateKey ?? ''),
      TO: SHOP,
      WEI: '7',
    },
  });
  let text = '';
  for (const stream of [script.stdout, script.stderr]) {
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  }
  return new Promise((settle, fail) => {
    script.once('error', fail);
    script.once('close', (code) => {
      settle({ code, text });
    });
  });
}

async function paidToShop(): Promise<number> {
  return Number(await chain.server.rpc('eth_getBalance', [SHOP, 'latest']));
}

it('the curl example pays once per operation, and a failed signature costs no nonce', async () => {
  expect(await transfer('order-1', 'false')).toEqual({ code: 1, text: '' });
  const first = await transfer('order-1');
  expect(first).toMatchObject({ code: 0, text: expect.stringContaining('at nonce 0: 0x') });
  expect(await transfer('order-1')).toMatchObject({
    code: 0,
    text: expect.stringContaining('order-1 was paid before, at nonce 0: BROADCAST'),
  });
  const second = await transfer('order-2');
  expect(second.text).toContain('at nonce 1: 0x');
  expect(await paidToShop()).toBe(14);
});

it('the curl example stops with the problem that the API reports', async () => {
  const right = apiKey;
  apiKey = 'not-a-key';
  const refused = await transfer('order-3');
  apiKey = right;
  expect(refused.code).not.toBe(0);
  expect(refused.text).toMatch(/401/);
  expect(await paidToShop()).toBe(14);
});
