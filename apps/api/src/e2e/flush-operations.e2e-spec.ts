import { randomUUID } from 'node:crypto';
import { waitFor } from '@noncekit/test-support/wait-for';
import type { AllocationDto, AllocationsDto } from '../allocations/allocation.dto';
import type { DeadLettersDto, FlushStatusDto } from '../operations/flush.dto';
import type { Answer } from './support/api-fixture';
import { newSubmitter } from './support/new-submitter';
import { PerformanceFixture } from './support/performance-fixture';
import { expectProblem } from './support/problem';

/** Without a worker: what waits stays until somebody orders a flush. */
let stack: PerformanceFixture;
beforeAll(async () => {
  stack = await PerformanceFixture.start();
  await stack.startApi();
});
afterAll(() => stack.close());

async function allocate(submitter: string): Promise<AllocationDto> {
  const { body } = await stack.call(`/v1/submitters/${submitter}/allocations`, { body: {} });
  return (body as AllocationsDto).items[0]!;
}

async function status(): Promise<FlushStatusDto> {
  const answer = await stack.call('/v1/ops/flush');
  expect(answer.status).toBe(200);
  return answer.body as FlushStatusDto;
}

async function deadLetter(text: string): Promise<string> {
  const { rows } = await stack.database.pool.query<{ id: string }>(
    `INSERT INTO dead_letter (shard, entry_id, event, deliveries, reason)
     VALUES (0, $1, $2, 5, 'a test') RETURNING id`,
    [randomUUID(), text],
  );
  return rows[0]!.id;
}

async function auditOf(action: string): Promise<readonly object[]> {
  const { rows } = await stack.database.pool.query<object>(
    'SELECT actor, subject, reason FROM audit WHERE action = $1 ORDER BY at',
    [action],
  );
  return rows;
}

const openLetters = async () => {
  const { body } = await stack.call('/v1/ops/dead-letters');
  return body as DeadLettersDto;
};

it('what waits in Redis is told by shard, and a flush on order brings it to Postgres', async () => {
  const { id } = await allocate(newSubmitter());
  const before = await status();
  expect(before).toMatchObject({ queued: 1, workers: 0, deadLetters: 0, lastFailureAt: null });
  expect(before.shards).toEqual([
    { shard: expect.any(Number), queued: 1, oldestEventAgeMs: before.oldestEventAgeMs },
  ]);
  const order = await stack.call('/v1/ops/flush', { body: { reason: 'before a restart' } });
  expect(order.status).toBe(202);
  expect(order.body).toMatchObject({ kind: 'flush', id: expect.any(String) });
  await waitFor(async () => (await status()).queued === 0, { describe: 'the queue to be empty' });
  const { rowCount } = await stack.database.pool.query(
    'SELECT 1 FROM submitter_nonce_allocation WHERE id = $1',
    [id],
  );
  expect(rowCount).toBe(1);
  expect(await auditOf('ops.flush')).toEqual([
    { actor: 'everything', subject: 'all shards', reason: 'before a restart' },
  ]);
});

it('a dead letter is listed, applied once more on order, and gone from the list', async () => {
  const submitter = newSubmitter();
  await allocate(submitter);
  const grant = {
    ...{ id: randomUUID(), submitter, nonce: 7, epoch: 1, generation: 9, source: 'fresh' },
    ...{ exposure: 'declared', operationId: null, metadata: null },
    ...{ grantedAtMs: Date.now(), deadlineMs: Date.now() + 60_000 },
  };
  const event = { grant, stage: 'GRANTED', rank: 1, hashes: [], note: null, atMs: Date.now() };
  const id = await deadLetter(JSON.stringify(event));
  expect((await openLetters()).items).toEqual([
    expect.objectContaining({ id, reason: 'a test', deliveries: 5 }),
  ]);
  const order = await stack.call(`/v1/ops/dead-letters/${id}/retry`, { method: 'POST' });
  expect(order.status).toBe(202);
  expect(order.body).toMatchObject({ kind: 'dead-letter-retry' });
  expect((await openLetters()).items).toEqual([]);
  expect(await auditOf('ops.dead-letter-retry')).toEqual([
    { actor: 'everything', subject: id, reason: 'none given' },
  ]);
  const { body } = await stack.call(`/v1/submitters/${submitter}/nonces/7`);
  expect(body).toMatchObject({ id: grant.id });
});

it('a letter that is no event, and one that nobody has, are refused and stay as they are', async () => {
  const id = await deadLetter('what is this?');
  const refused = await stack.call(`/v1/ops/dead-letters/${id}/retry`, { method: 'POST' });
  expectProblem(refused, 'NONCE_PRECONDITION', 412);
  expect((await openLetters()).items).toHaveLength(1);
  const unknown = `/v1/ops/dead-letters/${randomUUID()}/retry`;
  expectProblem(await stack.call(unknown, { method: 'POST' }), 'NONCE_NOT_FOUND', 404);
});

it('dead letters are listed page by page, oldest first', async () => {
  const before = (await openLetters()).items.length;
  const ids = [await deadLetter('a'), await deadLetter('b'), await deadLetter('c')];
  const seen: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
    const { body } = await stack.call(`/v1/ops/dead-letters?limit=2${query}`);
    const page = body as DeadLettersDto;
    seen.push(...page.items.map((letter) => letter.id));
    cursor = page.nextCursor;
  }
  expect(seen.slice(before)).toEqual(ids);
});

describe('a full queue', () => {
  const settings = { NONCE_FLUSH_STREAM_MAX: '100', NONCE_MAX_IN_FLIGHT: '0' };
  let full: PerformanceFixture;
  beforeAll(async () => {
    full = await PerformanceFixture.start(settings);
  });
  afterAll(() => full.close());

  const block = async (submitter: string): Promise<Answer> =>
    full.call(`/v1/submitters/${submitter}/allocations`, { body: { count: 100 } });

  it('refuses with back-pressure, or is flushed within the call where that is configured', async () => {
    const submitter = newSubmitter();
    const refusing = await full.startApi();
    expect((await block(submitter)).status).toBe(201);
    expectProblem(await block(submitter), 'NONCE_BACKPRESSURE', 503);
    await refusing.stop();
    await full.startApi({ NONCE_FLUSH_SYNC_WRITE_FALLBACK: 'true' });
    const { body, status } = await block(submitter);
    expect(status).toBe(201);
    const nonces = (body as AllocationsDto).items.map(({ nonce }) => nonce);
    expect(nonces).toEqual(Array.from({ length: 100 }, (_, i) => 100 + i));
  });
});
