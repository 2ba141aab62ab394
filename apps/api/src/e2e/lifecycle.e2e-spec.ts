import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { NonceModule, NonceTrackingModule } from '@noncekit/nonce-core';
import { startTestChain, type TestChain } from '@noncekit/test-support/test-chain';
import { waitFor } from '@noncekit/test-support/wait-for';
import { keccak256, parseGwei, type Hex } from 'viem';
import type { AllocationDto, AllocationsDto } from '../allocations/allocation.dto';
import { startApi, type ApiFixture } from './support/api-fixture';

const POLL_INTERVAL_MS = 100;

let chain: TestChain;
let api: ApiFixture;
let worker: INestApplicationContext;

beforeAll(async () => {
  chain = await startTestChain({ noMining: true });
  const { chainId, rpcUrl } = chain;
  api = await startApi({
    NONCE_CHAINS: String(chainId),
    [`NONCE_CHAIN_${chainId}_RPC_URLS`]: rpcUrl,
  });
  const { url, schema } = api.database;
  const profile = { confirmations: 2, reorgDepth: 4, pollIntervalMs: POLL_INTERVAL_MS };
  @Module({
    imports: [
      NonceModule.forRoot({
        database: { url, schema, poolSize: 2 },
        chains: { [chainId]: { rpcUrls: [rpcUrl], finalityTag: 'none', ...profile } },
      }),
      NonceTrackingModule.forRoot({ reclaimIntervalMs: 100, reconcileIntervalMs: 400 }),
    ],
  })
  class WorkerModule {}
  worker = await NestFactory.createApplicationContext(WorkerModule, {
    logger: false,
    abortOnError: false,
  });
});
afterAll(async () => {
  await worker.close();
  await api.close();
  await chain.close();
});

const submitterOf = (index: number) => `eip155:${chain.chainId}:${chain.account(index).address}`;

async function post<Body>(path: string, body: object, status: number): Promise<Body> {
  const answer = await api.call(path, { body });
  expect([answer.status, path]).toEqual([status, path]);
  return answer.body as Body;
}

async function allocate(index: number, body: object = {}): Promise<AllocationDto> {
  const path = `/v1/submitters/${submitterOf(index)}/allocations`;
  const { items } = await post<AllocationsDto>(path, body, 201);
  return items[0]!;
}

async function sign(index: number, nonce: number): Promise<{ rawTx: Hex; txHash: Hex }> {
  const rawTx = await chain.account(index).signTransaction({
    type: 'eip1559',
    chainId: chain.chainId,
    nonce,
    to: chain.account(9).address,
    value: 1n,
    gas: 21_000n,
    maxFeePerGas: parseGwei('20'),
    maxPriorityFeePerGas: parseGwei('1'),
  });
  return { rawTx, txHash: keccak256(rawTx) };
}

async function read(id: string): Promise<AllocationDto> {
  return (await api.call(`/v1/allocations/${id}`)).body as AllocationDto;
}

async function reaches(id: string, stage: string): Promise<AllocationDto> {
  return waitFor(
    async () => {
      const allocation = await read(id);
      return allocation.stage === stage && allocation;
    },
    { describe: `${id} to be ${stage}` },
  );
}

it('a transfer over HTTP is followed by the worker from its intent to its end', async () => {
  const { id, nonce } = await allocate(0);
  const signed = await sign(0, nonce);
  const intent = await post<AllocationDto>(`/v1/allocations/${id}/intent`, signed, 200);
  expect(intent).toMatchObject({ stage: 'INTENT', status: 'RESERVED', txHash: signed.txHash });
  await chain.server.rpc('eth_sendRawTransaction', [signed.rawTx]);
  const { txHash } = signed;
  await post(`/v1/allocations/${id}/submitted`, { txHash }, 200);
  await post(`/v1/allocations/${id}/used`, { txHash }, 200);
  expect(await read(id)).toMatchObject({ stage: 'BROADCAST', status: 'RESERVED' });
  await chain.mine();
  await reaches(id, 'MINED');
  await chain.mine(2);
  expect(await reaches(id, 'CONFIRMED')).toMatchObject({ status: 'USED', txHash });
  await chain.mine(3);
  expect(await reaches(id, 'FINAL')).toMatchObject({ nonce: 0, txHash, proof: 'receipt' });
});

it('a nonce given back over HTTP is issued again before any fresh one, and then mined', async () => {
  const [first, second] = [await allocate(1), await allocate(1)];
  expect([first.nonce, second.nonce]).toEqual([0, 1]);
  const given = await post<AllocationDto>(
    `/v1/allocations/${first.id}/recyclable`,
    { reason: 'the order was cancelled' },
    200,
  );
  expect(given).toMatchObject({ stage: 'REUSABLE', status: 'RECYCLABLE' });
  const again = await allocate(1, { operationId: 'next order' });
  expect(again).toMatchObject({ nonce: 0, source: 'recycled' });
  expect(again.id).not.toBe(first.id);
  const late = await api.call(`/v1/allocations/${first.id}/intent`, { body: await sign(1, 0) });
  expect(late.body).toMatchObject({ code: 'NONCE_FENCED' });
  for (const { id, nonce } of [again, second]) {
    const signed = await sign(1, nonce);
    await post(`/v1/allocations/${id}/intent`, signed, 200);
    await chain.server.rpc('eth_sendRawTransaction', [signed.rawTx]);
    await post(`/v1/allocations/${id}/used`, { txHash: signed.txHash }, 200);
  }
  await chain.mine();
  for (const { id } of [again, second]) await reaches(id, 'MINED');
});
