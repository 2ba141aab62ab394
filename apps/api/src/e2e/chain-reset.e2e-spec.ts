import type { TestChain } from '@noncekit/test-support/test-chain';
import { startTestChain } from '@noncekit/test-support/test-chain';
import { waitFor } from '@noncekit/test-support/wait-for';
import { ApiServer } from '../api-server';
import { readApiEnvironment } from '../config/env.schema';
import type { AllocationsDto } from '../allocations/allocation.dto';
import {
  environmentFor,
  request,
  startApi,
  type Answer,
  type ApiFixture,
} from './support/api-fixture';
import { expectProblem } from './support/problem';

let chain: TestChain;
let api: ApiFixture;
let other: ApiServer;
let key: string;
let submitter: string;

/** Two apis on one database, and a real development chain whose accounts are known. */
beforeAll(async () => {
  chain = await startTestChain();
  const settings = {
    NONCE_CHAINS: String(chain.chainId),
    [`NONCE_CHAIN_${chain.chainId}_RPC_URLS`]: chain.rpcUrl,
  };
  api = await startApi(settings);
  other = await ApiServer.start(
    readApiEnvironment({ ...environmentFor(api.database), ...settings }),
  );
  key = await api.createKey('other', ['nonce:read', 'nonce:allocate', 'ops:read', 'ops:write']);
  submitter = `eip155:${chain.chainId}:${chain.account(0).address.toLowerCase()}`;
});
afterAll(async () => {
  await other.stop(5_000);
  await api.close();
  await chain.close();
});

const post = (name: string, body: object): Promise<Answer> =>
  api.call(`/v1/submitters/${submitter}/${name}`, { body });
const elsewhere = (name: string, body: object): Promise<Answer> =>
  request(`${other.addresses.publicUrl}/v1/submitters/${submitter}/${name}`, { body }, key);
const code = ({ body }: Answer): unknown => (body as { code?: string }).code;

async function transfer(): Promise<void> {
  const [from, to] = [chain.account(0).address, chain.account(1).address];
  await chain.server.rpc('eth_sendTransaction', [{ from, to, value: '0x1' }]);
}

/** The genesis of a development chain differs only by the second in which it was started. */
async function restartChain(): Promise<void> {
  const second = (): number => Math.floor(Date.now() / 1_000);
  const startedAt = second();
  await chain.server.kill();
  // Who missed the node proves its chain at once, and not only after a while.
  await Promise.all([post, elsewhere].map((to) => to('align', { reason: 'a test' })));
  await waitFor(() => second() > startedAt, { describe: 'the next second' });
  await chain.server.restart();
}

it('is refused while the chain is the one that is remembered', async () => {
  await transfer();
  await transfer();
  const { body } = await post('allocations', { count: 2 });
  expect((body as AllocationsDto).items.map(({ nonce }) => nonce)).toEqual([2, 3]);
  expect((await elsewhere('align', { reason: 'a test' })).status).toBe(200);
  expectProblem(
    await post('reset', { reason: 'by mistake', confirm: submitter }),
    'NONCE_PRECONDITION',
    412,
  );
});

it('I-44: a delegated account has one nonce in flight, and its window back afterwards', async () => {
  const { address } = chain.account(2);
  const delegated = `/v1/submitters/eip155:${chain.chainId}:${address.toLowerCase()}`;
  const ask = (path: string, body: object): Promise<Answer> => api.call(delegated + path, { body });
  expect((await ask('/allocations', {})).status).toBe(201);
  await chain.server.rpc('anvil_setCode', [address, `0xef0100${'ab'.repeat(20)}`]);
  await ask('/align', { reason: 'a test' });
  expectProblem(await ask('/allocations', {}), 'NONCE_IN_FLIGHT_LIMIT', 429);
  await chain.server.rpc('anvil_setCode', [address, '0x']);
  await ask('/align', { reason: 'a test' });
  expect((await ask('/allocations', {})).status).toBe(201);
});

describe('H-22: a chain that was started anew under a live database', () => {
  let before: AllocationsDto;

  beforeAll(async () => {
    before = (await post('allocations', {})).body as AllocationsDto;
    await restartChain();
    await transfer();
    const seen = async (): Promise<boolean> =>
      code(await post('align', { reason: 'a test' })) === 'NONCE_CHAIN_RESET';
    await waitFor(seen, { describe: 'the reset to be seen' });
  }, 30_000);

  it('L13: is NONCE_CHAIN_RESET for every process, without a restart of any', async () => {
    expectProblem(await post('allocations', {}), 'NONCE_CHAIN_RESET', 409);
    expectProblem(await elsewhere('allocations', {}), 'NONCE_CHAIN_RESET', 409);
  });

  it('is left as it is by an order that is not confirmed, and by a dry run', async () => {
    const unconfirmed = await post('reset', { reason: 'new chain', confirm: 'yes' });
    expectProblem(unconfirmed, 'NONCE_VALIDATION', 400);
    const dry = await post('reset', { reason: 'new chain', dryRun: true });
    expect(dry.body).toMatchObject({ done: false, generation: 2, nextNonce: 1, ended: 3 });
    expectProblem(await post('allocations', {}), 'NONCE_CHAIN_RESET', 409);
  });

  it('starts a new generation at its own count once an operator says so, in the audit', async () => {
    const { status, body } = await post('reset', { reason: 'new chain', confirm: submitter });
    expect({ status, body }).toMatchObject({ status: 200, body: { done: true, nextNonce: 1 } });
    const issued = (await post('allocations', {})).body as AllocationsDto;
    expect(issued.items.map(({ nonce }) => nonce)).toEqual([1]);
    const { rows } = await api.database.pool.query(
      `SELECT actor, action, reason FROM audit WHERE subject = $1 AND action = 'submitter.reset'
       ORDER BY id DESC LIMIT 1`,
      [submitter],
    );
    expect(rows).toEqual([{ actor: 'all-scopes', action: 'submitter.reset', reason: 'new chain' }]);
  });

  it('goes on in the other process, which saw the old chain too', async () => {
    const follows = async (): Promise<boolean> =>
      (await elsewhere('align', { reason: 'a test' })).status === 200;
    await waitFor(follows, { timeoutMs: 20_000, describe: 'the other process to follow' });
    const { body } = await elsewhere('allocations', {});
    expect((body as AllocationsDto).items.map(({ nonce }) => nonce)).toEqual([2]);
  });

  it('S9: keeps old allocations readable, and fences their holders', async () => {
    const { id } = before.items[0] ?? { id: '' };
    const row = await api.call(`/v1/allocations/${id}`);
    expect(row.body).toMatchObject({ id, nonce: 4 });
    const body = { txHash: `0x${'12'.repeat(32)}` };
    expectProblem(await api.call(`/v1/allocations/${id}/intent`, { body }), 'NONCE_FENCED', 409);
  });
});
