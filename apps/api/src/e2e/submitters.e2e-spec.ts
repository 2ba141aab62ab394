import { startTestChain, type TestChain } from '@noncekit/test-support/test-chain';
import type { AllocationsDto } from '../allocations/allocation.dto';
import type { NoncesDto, SubmittersDto } from '../submitters/submitter.dto';
import { startApi, type Answer, type ApiFixture } from './support/api-fixture';
import { newSubmitter } from './support/new-submitter';
import { expectProblem } from './support/problem';

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

async function allocate(submitter: string, count = 1): Promise<AllocationsDto> {
  const answer = await api.call(`/v1/submitters/${submitter}/allocations`, { body: { count } });
  expect(answer.status).toBe(201);
  return answer.body as AllocationsDto;
}

async function audited(submitter: string): Promise<unknown> {
  const { rows } = await api.database.pool.query(
    'SELECT actor, action, reason, detail FROM audit WHERE subject = $1 ORDER BY id',
    [submitter],
  );
  return rows;
}

function order(submitter: string, name: string, reason = 'a test'): Promise<Answer> {
  return api.call(`/v1/submitters/${submitter}/${name}`, { body: { reason } });
}

describe('reading', () => {
  it('shows a submitter with counts and gaps', async () => {
    const submitter = newSubmitter(chain.chainId);
    const { items } = await allocate(submitter, 3);
    await api.call(`/v1/allocations/${items[0]?.id}/recyclable`, { body: { reason: 'unsent' } });
    const { body } = await api.call(`/v1/submitters/${submitter}`);
    expect(body).toMatchObject({
      submitter,
      nextLocalNonce: 3,
      epoch: 1,
      engine: 'reliable',
      lastChainNonce: null,
      counts: { RESERVED: 2, USED: 0, RECYCLABLE: 1 },
      gaps: [{ from: 0, to: 0, stage: 'REUSABLE' }],
      oldestReservedAgeMs: expect.any(Number),
      maxInFlight: 64,
      paused: false,
      asOf: expect.any(String),
    });
    const gaps = await api.call(`/v1/submitters/${submitter}/gaps`);
    expect(gaps.body).toEqual({ items: (body as { gaps: unknown }).gaps });
  });

  it('pages through nonces and filters them', async () => {
    const submitter = newSubmitter(chain.chainId);
    const { items } = await allocate(submitter, 5);
    await api.call(`/v1/allocations/${items[1]?.id}/recyclable`, { body: { reason: 'unsent' } });
    const nonces = async (query: string): Promise<NoncesDto> =>
      (await api.call(`/v1/submitters/${submitter}/nonces${query}`)).body as NoncesDto;
    const numbers = (page: NoncesDto): number[] => page.items.map((item) => item.nonce);
    const first = await nonces('?limit=2');
    expect(numbers(first)).toEqual([0, 1]);
    expect(first.nextFrom).toBe(2);
    const rest = await nonces('?limit=3&from=2');
    expect(numbers(rest)).toEqual([2, 3, 4]);
    expect(rest.nextFrom).toBeNull();
    expect(numbers(await nonces('?status=RECYCLABLE'))).toEqual([1]);
    expect(numbers(await nonces('?stage=GRANTED&from=1&to=3'))).toEqual([2, 3]);
  });

  it('shows one nonce with its history', async () => {
    const submitter = newSubmitter(chain.chainId);
    const { items } = await allocate(submitter);
    await api.call(`/v1/allocations/${items[0]?.id}/recyclable`, { body: { reason: 'unsent' } });
    const again = await allocate(submitter);
    const { body } = await api.call(`/v1/submitters/${submitter}/nonces/0`);
    expect(body).toMatchObject({ id: again.items[0]?.id, nonce: 0, stage: 'GRANTED' });
    const { history } = body as { history: { allocationId: string; at: string }[] };
    expect(history.map((entry) => entry.allocationId)).toContain(items[0]?.id);
    expect(history.every((entry) => !Number.isNaN(Date.parse(entry.at)))).toBe(true);
  });

  it('lists submitters page by page, each once', async () => {
    const prefix = '0xfeedfeed';
    const made = [1, 2, 3].map(
      () => `eip155:${chain.chainId}:${prefix}${newSubmitter().slice(-32)}`,
    );
    for (const submitter of made) await allocate(submitter);
    const seen: string[] = [];
    let cursor = '';
    do {
      const path = `/v1/submitters?limit=1&q=${prefix}${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
      const page = (await api.call(path)).body as SubmittersDto;
      seen.push(...page.items.map((item) => item.submitter));
      cursor = page.nextCursor ?? '';
    } while (cursor !== '');
    expect(seen).toEqual([...made].sort());
  });
});

describe('operating', () => {
  it('pauses and resumes, and keeps who, what and why', async () => {
    const submitter = newSubmitter(chain.chainId);
    const { items } = await allocate(submitter);
    const paused = await order(submitter, 'pause', 'key rotation');
    expect(paused.body).toMatchObject({ paused: true, pausedReason: 'key rotation' });
    const refused = await api.call(`/v1/submitters/${submitter}/allocations`, { body: {} });
    expectProblem(refused, 'NONCE_PAUSED', 423);
    const settled = await api.call(`/v1/allocations/${items[0]?.id}/used`, { body: {} });
    expect(settled.status).toBe(200);
    const resumed = await order(submitter, 'resume', 'rotated');
    expect(resumed.body).toMatchObject({ paused: false });
    await allocate(submitter);
    expect(await audited(submitter)).toEqual([
      { actor: 'all-scopes', action: 'submitter.pause', reason: 'key rotation', detail: null },
      { actor: 'all-scopes', action: 'submitter.resume', reason: 'rotated', detail: null },
    ]);
  });

  it('changes only the settings it is given, and null takes one back', async () => {
    const submitter = newSubmitter(chain.chainId);
    await allocate(submitter);
    const put = (body: object): Promise<Answer> =>
      api.call(`/v1/submitters/${submitter}`, { method: 'PUT', body });
    const set = await put({ label: 'treasury', maxInFlight: 3, exposure: 'assumed' });
    expect(set.body).toMatchObject({ label: 'treasury', maxInFlight: 3 });
    expect((await put({ maxInFlight: 5 })).body).toMatchObject({
      label: 'treasury',
      maxInFlight: 5,
    });
    expect((await put({ label: null, maxInFlight: null })).body).toMatchObject({
      label: null,
      maxInFlight: 64,
    });
    expect(await audited(submitter)).toHaveLength(3);
  });

  it('aligns with the chain on demand', async () => {
    const account = chain.account(0);
    const submitter = `eip155:${chain.chainId}:${account.address.toLowerCase()}`;
    expect((await allocate(submitter)).items[0]?.nonce).toBe(0);
    await chain.server.rpc('anvil_setNonce', [account.address, '0x5']);
    await chain.mine();
    const aligned = await order(submitter, 'align', 'the account was used elsewhere');
    expect(aligned.status).toBe(200);
    // Nothing is final yet, so the holder of nonce 0 is not written off.
    expect(aligned.body).toMatchObject({ submitter, chainLatest: 5, fenced: 0, foreignUse: 4 });
    expect((await allocate(submitter)).items[0]?.nonce).toBe(5);
    expect(await audited(submitter)).toMatchObject([{ action: 'submitter.align' }]);
  });

  it('reconciles one submitter on demand; a dry run says the same and changes nothing', async () => {
    const account = chain.account(1);
    const submitter = `eip155:${chain.chainId}:${account.address.toLowerCase()}`;
    await allocate(submitter);
    await chain.server.rpc('anvil_setNonce', [account.address, '0x5']);
    await chain.mine();
    const ask = (body: object) =>
      api.call(`/v1/submitters/${submitter}/reconcile`, { body: { reason: 'a restore', ...body } });
    const foreseen = await ask({ dryRun: true });
    expect(foreseen.body).toMatchObject({ dryRun: true, chainLatest: 5, foreignUse: 4 });
    expect((await api.call(`/v1/submitters/${submitter}`)).body).toMatchObject({
      chainLatest: 0,
      nextLocalNonce: 1,
    });
    expect(await audited(submitter)).toEqual([]);
    const done = await ask({});
    expect(done.status).toBe(200);
    expect(done.body).toEqual({ ...(foreseen.body as object), dryRun: false });
    expect((await allocate(submitter)).items[0]?.nonce).toBe(5);
    expect(await audited(submitter)).toMatchObject([{ action: 'submitter.reconcile' }]);
  });
});

it('refuses a submitter on a chain that is not among the configured ones', async () => {
  const path = `/v1/submitters/${newSubmitter(1)}/allocations`;
  expectProblem(await api.call(path, { body: {} }), 'NONCE_CHAIN_UNKNOWN', 422);
});

it('says that a chain is not configured instead of aligning', async () => {
  const unchained = await startApi();
  try {
    const path = `/v1/submitters/${newSubmitter()}`;
    expect((await unchained.call(`${path}/allocations`, { body: {} })).status).toBe(201);
    const answer = await unchained.call(`${path}/align`, { body: { reason: 'a test' } });
    expectProblem(answer, 'NONCE_CHAIN_UNKNOWN', 422);
  } finally {
    await unchained.close();
  }
});
