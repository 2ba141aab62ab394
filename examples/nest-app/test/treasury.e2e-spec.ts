import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { startTestChain, type TestChain } from '@noncekit/test-support/test-chain';
import { openTestDatabase, type TestDatabase } from '@noncekit/test-support/test-database';
import { toHex } from 'viem';
import type * as Example from '../src/treasury';

const SHOP = `0x${'5e'.repeat(20)}` as const;
const NODES = 2;

let chain: TestChain;
let database: TestDatabase;
let nodes: INestApplicationContext[];
let treasuries: Example.Treasury[];
const environmentBefore = { ...process.env };

beforeAll(async () => {
  [chain, database] = await Promise.all([startTestChain(), openTestDatabase()]);
  // The example reads its environment when it is loaded, as a process of its own would.
  process.env['DATABASE_URL'] = database.url;
  process.env['RPC_URL'] = chain.rpcUrl;
  process.env['TREASURY_KEY'] = toHex(chain.account(0).getHdKey().privateKey ?? '');
  const { Treasury, TreasuryModule } = jest.requireActual<typeof Example>('../src/treasury');
  const starting = Array.from({ length: NODES }, () =>
    NestFactory.createApplicationContext(TreasuryModule, { logger: false, abortOnError: false }),
  );
  nodes = await Promise.all(starting);
  treasuries = nodes.map((node) => node.get(Treasury));
});
afterAll(async () => {
  process.env = environmentBefore;
  await Promise.all(nodes.map((node) => node.close()));
  await Promise.all([chain.close(), database.close()]);
});

async function read(method: string, address: string): Promise<number> {
  return Number(await chain.server.rpc(method, [address, 'latest']));
}

it('pays each of twelve invoices once, though two nodes are told of each of them twice', async () => {
  const invoices = Array.from({ length: 12 }, (_, index) => `invoice-${index}`);
  const pay = (treasury: Example.Treasury) =>
    Promise.allSettled(invoices.map((invoice) => treasury.pay(invoice, SHOP, 1n)));
  await Promise.all(treasuries.map(pay));
  const later = await Promise.all(treasuries.map(pay));
  for (const end of later.flat()) expect(end.status).toBe('fulfilled');
  expect(await read('eth_getBalance', SHOP)).toBe(invoices.length);
  expect(await read('eth_getTransactionCount', chain.account(0).address)).toBe(invoices.length);
});

it('spends no nonce on a payment that cannot be prepared', async () => {
  const [treasury] = treasuries;
  await expect(treasury?.pay('invoice-to-nobody', '0x12', 1n)).rejects.toThrow(/0x12/);
  await treasury?.pay('invoice-after', SHOP, 1n);
  expect(await read('eth_getTransactionCount', chain.account(0).address)).toBe(13);
});
