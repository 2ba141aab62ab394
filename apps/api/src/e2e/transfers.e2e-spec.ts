import { startTestChain, type TestChain } from '@noncekit/test-support/test-chain';
import { keccak256, parseGwei, type Hex } from 'viem';
import type { AllocationDto, AllocationsDto } from '../allocations/allocation.dto';
import { startApi, type ApiFixture } from './support/api-fixture';

const CALLERS = 8;
const TRANSFERS_EACH = 5;

let chain: TestChain;
let api: ApiFixture;
beforeAll(async () => {
  chain = await startTestChain();
  api = await startApi({
    NONCE_CHAINS: String(chain.chainId),
    [`NONCE_CHAIN_${chain.chainId}_RPC_URLS`]: chain.rpcUrl,
  });
});
afterAll(async () => {
  await api.close();
  await chain.close();
});

async function post<Body>(path: string, body: object): Promise<Body> {
  const answer = await api.call(path, { body });
  if (answer.status >= 300) throw new Error(JSON.stringify(answer.body));
  return answer.body as Body;
}

async function allocate(operationId: string): Promise<AllocationDto> {
  const submitter = `eip155:${chain.chainId}:${chain.account(0).address}`;
  const { items } = await post<AllocationsDto>(`/v1/submitters/${submitter}/allocations`, {
    operationId,
  });
  if (items[0] === undefined) throw new Error('nothing was allocated');
  return items[0];
}

function sign(nonce: number): Promise<Hex> {
  return chain.account(0).signTransaction({
    type: 'eip1559',
    chainId: chain.chainId,
    nonce,
    to: chain.account(1).address,
    value: 1n,
    gas: 21_000n,
    maxFeePerGas: parseGwei('20'),
    maxPriorityFeePerGas: parseGwei('1'),
  });
}

/** A client of the API in another language would do exactly this. */
async function transfer(operationId: string, failsFirst: boolean): Promise<Hex> {
  if (failsFirst) {
    const unused = await allocate(`${operationId}-unsigned`);
    await post(`/v1/allocations/${unused.id}/recyclable`, { reason: 'the signer was away' });
  }
  const { id, nonce, submitter, epoch } = await allocate(operationId);
  const rawTx = await sign(nonce);
  const txHash = keccak256(rawTx);
  await post(`/v1/allocations/${id}/intent`, { txHash, rawTx, submitter, nonce, epoch });
  await chain.server.rpc('eth_sendRawTransaction', [rawTx]);
  await post(`/v1/allocations/${id}/submitted`, { txHash });
  await post(`/v1/allocations/${id}/used`, { txHash });
  return txHash;
}

it('carries the transfers of eight clients to the chain, each nonce mined exactly once', async () => {
  const clients = Array.from({ length: CALLERS }, async (_, client) => {
    const hashes: Hex[] = [];
    for (let turn = 0; turn < TRANSFERS_EACH; turn += 1) {
      hashes.push(await transfer(`client-${client}-${turn}`, (client + turn) % 4 === 0));
    }
    return hashes;
  });
  const hashes = (await Promise.all(clients)).flat();
  const total = CALLERS * TRANSFERS_EACH;
  await chain.mine();

  const mined: number[] = [];
  for (const hash of hashes) {
    const receipt = (await chain.server.rpc('eth_getTransactionReceipt', [hash])) as object | null;
    expect(receipt).toMatchObject({ status: '0x1' });
    const sent = await chain.server.rpc('eth_getTransactionByHash', [hash]);
    mined.push(Number((sent as { nonce: Hex }).nonce));
  }
  const expected = Array.from({ length: total }, (_, nonce) => nonce);
  expect(mined.sort((a, b) => a - b)).toEqual(expected);

  const address = chain.account(0).address;
  const count = await chain.server.rpc('eth_getTransactionCount', [address, 'latest']);
  expect(Number(count)).toBe(total);
  const view = await api.call(`/v1/submitters/eip155:${chain.chainId}:${address}`);
  expect(view.body).toMatchObject({ nextLocalNonce: total, gaps: [] });
});

it('S2: refuses an intent whose bytes are not what it says, and writes nothing', async () => {
  const { id, nonce } = await allocate('mixed-up');
  const [rawTx, next] = [await sign(nonce), await sign(nonce + 1)];
  const intents = [
    { rawTx, txHash: keccak256(next) },
    { rawTx: next, txHash: keccak256(next) },
    { rawTx: next, txHash: keccak256(next), nonce },
  ];
  for (const body of intents) {
    const answer = await api.call(`/v1/allocations/${id}/intent`, { body });
    expect(answer).toMatchObject({ status: 400, body: { code: 'NONCE_VALIDATION' } });
  }
  const read = await api.call(`/v1/allocations/${id}`);
  expect(read.body).toMatchObject({ stage: 'GRANTED', hashes: [] });
  await post(`/v1/allocations/${id}/recyclable`, { reason: 'a test' });
});
