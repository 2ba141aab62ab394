import { randomUUID } from 'node:crypto';
import type { AllocationDto, AllocationsDto } from '../allocations/allocation.dto';
import type { SubmitterDto } from '../submitters/submitter.dto';
import { startApi, type Answer, type ApiFixture } from './support/api-fixture';
import { expectProblem } from './support/problem';
import { newSubmitter } from './support/new-submitter';

const HASH = `0x${'Ab'.repeat(32)}`;
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let api: ApiFixture;
beforeAll(async () => {
  api = await startApi({ NONCE_DEFAULT_CHAIN_ID: '31337' });
});
afterAll(() => api.close());

async function allocate(submitter: string, body: object = {}, key?: string): Promise<Answer> {
  const headers = key === undefined ? {} : { 'idempotency-key': key };
  return api.call(`/v1/submitters/${submitter}/allocations`, { body, headers });
}

async function allocateOne(submitter: string, body: object = {}): Promise<AllocationDto> {
  const answer = await allocate(submitter, body);
  expect(answer.status).toBe(201);
  const [first] = (answer.body as AllocationsDto).items;
  if (first === undefined) throw new Error('nothing was allocated');
  return first;
}

async function say(id: string, command: string, body: object = {}): Promise<Answer> {
  return api.call(`/v1/allocations/${id}/${command}`, { body });
}

describe('allocating', () => {
  it('answers 201 with the documented shape', async () => {
    const submitter = newSubmitter();
    const answer = await allocate(submitter, { metadata: { invoice: 'ä-1', fee: 1.5 } });
    expect(answer.status).toBe(201);
    expect(answer.headers.has('idempotency-replayed')).toBe(false);
    expect(answer.body).toEqual({
      contiguous: true,
      items: [
        {
          id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          submitter,
          nonce: 0,
          status: 'RESERVED',
          stage: 'GRANTED',
          source: 'fresh',
          epoch: 1,
          engine: 'reliable',
          operationId: null,
          txHash: null,
          hashes: [],
          proof: null,
          note: null,
          deadline: expect.stringMatching(RFC_3339),
          createdAt: expect.stringMatching(RFC_3339),
          updatedAt: expect.stringMatching(RFC_3339),
        },
      ],
    });
  });

  it('takes a request without a body, and hands out a block in order', async () => {
    const submitter = newSubmitter();
    const first = await api.call(`/v1/submitters/${submitter}/allocations`, { method: 'POST' });
    expect(first.status).toBe(201);
    const block = (await allocate(submitter, { count: 3 })).body as AllocationsDto;
    expect(block.items.map((item) => item.nonce)).toEqual([1, 2, 3]);
    expect(block.contiguous).toBe(true);
  });

  it('holds as long as the request, the submitter and the default say, in this order', async () => {
    const submitter = newSubmitter();
    const heldMs = (item: AllocationDto): number =>
      Date.parse(item.deadline ?? '') - Date.parse(item.createdAt);
    expect(heldMs(await allocateOne(submitter, { ttlMs: 5_000 }))).toBe(5_000);
    const settings = { body: { ttlMs: 20_000 }, method: 'PUT' };
    expect((await api.call(`/v1/submitters/${submitter}`, settings)).status).toBe(200);
    expect(heldMs(await allocateOne(submitter))).toBe(20_000);
    expect(heldMs(await allocateOne(newSubmitter()))).toBe(60_000);
  });

  it('S13: leads every spelling of a submitter to the same queue', async () => {
    const digits = randomUUID().replaceAll('-', '') + 'ABCDEF01';
    const spellings = [
      `eip155:31337:0x${digits}`,
      `EIP155:31337:0X${digits.toUpperCase()}`,
      `eip155%3A31337%3A0x${digits.toLowerCase()}`,
      `0x${digits}`,
      `0X${digits.toUpperCase()}`,
    ];
    const seen: AllocationDto[] = [];
    for (const spelling of spellings) seen.push(await allocateOne(spelling));
    expect(seen.map((item) => item.nonce)).toEqual([0, 1, 2, 3, 4]);
    const canonical = `eip155:31337:0x${digits.toLowerCase()}`;
    expect(new Set(seen.map((item) => item.submitter))).toEqual(new Set([canonical]));
    expect((await allocateOne(`eip155:1:0x${digits}`)).nonce).toBe(0);
  });
});

describe('idempotency', () => {
  it('answers a replay alike, with 200 and Idempotency-Replayed', async () => {
    const submitter = newSubmitter();
    const body = { count: 2, metadata: { a: 1, b: [2] } };
    const first = await allocate(submitter, body, 'invoice-1');
    const again = await allocate(submitter, { metadata: { b: [2], a: 1 }, count: 2 }, 'invoice-1');
    const byField = await allocate(submitter, { ...body, operationId: 'invoice-1' });
    expect(first.status).toBe(201);
    for (const replay of [again, byField]) {
      expect(replay.status).toBe(200);
      expect(replay.headers.get('idempotency-replayed')).toBe('true');
      expect(replay.body).toEqual(first.body);
    }
    expect((await allocateOne(submitter)).nonce).toBe(2);
  });

  it('refuses the same key with another body, and the key is free for other submitters', async () => {
    const submitter = newSubmitter();
    await allocate(submitter, { count: 1 }, 'invoice-2');
    for (const other of [{ count: 2 }, { ttlMs: 5_000 }, { metadata: {} }]) {
      const answer = await allocate(submitter, other, 'invoice-2');
      expectProblem(answer, 'NONCE_IDEMPOTENCY_REUSED', 422);
    }
    expect((await allocate(newSubmitter(), { count: 2 }, 'invoice-2')).status).toBe(201);
  });

  it('gives sixteen concurrent calls with one key one nonce', async () => {
    const submitter = newSubmitter();
    const answers = await Promise.all(
      Array.from({ length: 16 }, () => allocate(submitter, {}, 'invoice-3')),
    );
    const ids = answers.map((answer) => (answer.body as AllocationsDto).items[0]?.id);
    expect(new Set(ids).size).toBe(1);
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(1);
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(15);
  });
});

describe('the holder', () => {
  it('goes from intent over submitted to used, each repeatable', async () => {
    const item = await allocateOne(newSubmitter());
    const { submitter, nonce, epoch } = item;
    const intent = { txHash: HASH, submitter, nonce, epoch };
    for (let times = 0; times < 2; times += 1) {
      const answer = await say(item.id, 'intent', intent);
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({
        stage: 'INTENT',
        status: 'RESERVED',
        txHash: HASH.toLowerCase(),
        hashes: [HASH.toLowerCase()],
        deadline: null,
      });
    }
    const submitted = await say(item.id, 'submitted', { txHash: HASH });
    expect(submitted.body).toMatchObject({ stage: 'BROADCAST', status: 'RESERVED' });
    // Chain 31337 is not configured here, so nothing can be followed: the caller's word counts.
    for (let times = 0; times < 2; times += 1) {
      const used = await say(item.id, 'used', {});
      expect(used.status).toBe(200);
      expect(used.body).toMatchObject({ stage: 'ASSERTED', status: 'USED' });
    }
    const read = await api.call(`/v1/allocations/${item.id.toUpperCase()}`);
    expect(read.body).toMatchObject({ id: item.id, stage: 'ASSERTED' });
  });

  it('gives an unsent nonce back, which is the next to be issued', async () => {
    const submitter = newSubmitter();
    const first = await allocateOne(submitter);
    await allocateOne(submitter);
    const back = await say(first.id, 'recyclable', { reason: 'signing failed' });
    expect(back.body).toMatchObject({ stage: 'REUSABLE', status: 'RECYCLABLE' });
    const next = await allocateOne(submitter);
    expect(next).toMatchObject({ nonce: first.nonce, source: 'recycled' });
    expectProblem(await say(first.id, 'intent', { txHash: HASH }), 'NONCE_FENCED', 409);
    expectProblem(await say(first.id, 'used', {}), 'NONCE_FENCED', 409);
  });

  it('cannot give back what may be out, nor keep what it has settled', async () => {
    const item = await allocateOne(newSubmitter());
    await say(item.id, 'intent', { txHash: HASH });
    const unsafe = await say(item.id, 'recyclable', { reason: 'gave up' });
    expectProblem(unsafe, 'NONCE_RECYCLE_UNSAFE', 409);
    await say(item.id, 'used', {});
    expectProblem(await say(item.id, 'heartbeat'), 'NONCE_ALLOCATION_CLOSED', 409);
    expectProblem(await say(item.id, 'keep', { note: 'late' }), 'NONCE_ALLOCATION_CLOSED', 409);
  });

  it('keeps its nonce with a note and moves its deadline', async () => {
    const item = await allocateOne(newSubmitter(), { ttlMs: 5_000 });
    const kept = (await say(item.id, 'keep', { note: 'waiting for an approval', ttlMs: 90_000 }))
      .body as AllocationDto;
    expect(kept).toMatchObject({ stage: 'GRANTED', note: 'waiting for an approval' });
    expect(Date.parse(kept.deadline ?? '')).toBeGreaterThan(Date.parse(item.deadline ?? ''));
    const beat = (await say(item.id, 'heartbeat', { ttlMs: 180_000 })).body as AllocationDto;
    expect(Date.parse(beat.deadline ?? '')).toBeGreaterThan(Date.parse(kept.deadline ?? ''));
    expect((await say(item.id, 'heartbeat')).status).toBe(200);
  });
});

describe('the window', () => {
  it('limits fresh nonces with 429 and Retry-After', async () => {
    const submitter = newSubmitter();
    await allocateOne(submitter);
    const settings = { body: { maxInFlight: 2 }, method: 'PUT' };
    const changed = await api.call(`/v1/submitters/${submitter}`, settings);
    expect(changed.body as SubmitterDto).toMatchObject({ maxInFlight: 2 });
    await allocateOne(submitter);
    expectProblem(await allocate(submitter), 'NONCE_IN_FLIGHT_LIMIT', 429);
  });
});
