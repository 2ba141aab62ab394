import { randomUUID } from 'node:crypto';
import { waitFor } from '@noncekit/test-support/wait-for';
import type { AllocationDto, AllocationsDto } from '../allocations/allocation.dto';
import type { Answer, Call } from './support/api-fixture';
import { newSubmitter } from './support/new-submitter';
import { PerformanceFixture } from './support/performance-fixture';
import { expectProblem } from './support/problem';

let stack: PerformanceFixture;
beforeAll(async () => {
  stack = await PerformanceFixture.start();
  await Promise.all([stack.startApi(), stack.startWorker()]);
});
afterAll(() => stack.close());

let lastHash = 0;
function newHash(): string {
  lastHash += 1;
  return `0x${lastHash.toString(16).padStart(64, '0')}`;
}

async function allocate(submitter: string, call: Call = {}): Promise<AllocationDto> {
  const answer = await stack.call(`/v1/submitters/${submitter}/allocations`, { body: {}, ...call });
  expect([answer.status, answer.body]).toEqual([201, expect.anything()]);
  return (answer.body as AllocationsDto).items[0]!;
}

function say(id: string, command: string, body: object): Promise<Answer> {
  return stack.call(`/v1/allocations/${id}/${command}`, { body });
}

async function rowOf(id: string): Promise<{ stage: string; epoch: string } | undefined> {
  const { rows } = await stack.database.pool.query<{ stage: string; epoch: string }>(
    'SELECT stage, epoch FROM submitter_nonce_allocation WHERE id = $1',
    [id],
  );
  return rows[0];
}

describe('an allocation', () => {
  it('comes from Redis, contiguous from the first nonce, and is flushed by the worker', async () => {
    const submitter = newSubmitter();
    const made = await Promise.all(Array.from({ length: 40 }, () => allocate(submitter)));
    const nonces = made.map(({ nonce }) => nonce).sort((a, b) => a - b);
    expect(nonces).toEqual(Array.from({ length: 40 }, (_, nonce) => nonce));
    expect(made[0]).toMatchObject({ engine: 'performance', stage: 'GRANTED', source: 'fresh' });
    await waitFor(async () => (await rowOf(made[0]!.id))?.stage === 'GRANTED', {
      describe: 'the grant to be flushed',
    });
  });

  it('goes from its intent to used, in Postgres at once', async () => {
    const { id, submitter, nonce, epoch } = await allocate(newSubmitter());
    const txHash = newHash();
    const intent = await say(id, 'intent', { txHash, submitter, nonce, epoch });
    expect(intent.body).toMatchObject({ stage: 'INTENT', txHash });
    expect((await rowOf(id))?.stage).toBe('INTENT');
    const used = await say(id, 'used', { txHash });
    expect(used.body).toMatchObject({ id, nonce, status: 'USED', stage: 'ASSERTED' });
    expect((await rowOf(id))?.stage).toBe('ASSERTED');
  });

  it('that is given back is issued again before any fresh one, and fences its first holder', async () => {
    const submitter = newSubmitter();
    const [first, second] = [await allocate(submitter), await allocate(submitter)];
    const given = await say(first.id, 'recyclable', { reason: 'the order was cancelled' });
    expect(given.body).toMatchObject({ stage: 'REUSABLE', status: 'RECYCLABLE' });
    const again = await allocate(submitter);
    expect(again).toMatchObject({ nonce: first.nonce, source: 'recycled' });
    expect((await allocate(submitter)).nonce).toBe(second.nonce + 1);
    const { id, nonce, epoch } = again;
    await say(id, 'intent', { txHash: newHash(), submitter, nonce, epoch });
    const late = { txHash: newHash(), submitter, nonce: first.nonce, epoch: first.epoch };
    expectProblem(await say(first.id, 'intent', late), 'NONCE_FENCED', 409);
  });

  it('is answered again for its Idempotency-Key, and the key fits no other request', async () => {
    const path = `/v1/submitters/${newSubmitter()}/allocations`;
    const headers = { 'idempotency-key': randomUUID() };
    const made = await stack.call(path, { body: { count: 2 }, headers });
    expect(made.status).toBe(201);
    const replay = await stack.call(path, { body: { count: 2 }, headers });
    expect(replay.status).toBe(200);
    expect(replay.headers.get('idempotency-replayed')).toBe('true');
    const idsOf = ({ body }: Answer) => (body as AllocationsDto).items.map(({ id }) => id);
    expect(idsOf(replay)).toEqual(idsOf(made));
    const other = await stack.call(path, { body: { count: 3 }, headers });
    expectProblem(other, 'NONCE_IDEMPOTENCY_REUSED', 422);
  });

  it('can be read on the node that granted it before it is flushed', async () => {
    const made = await allocate(newSubmitter());
    const read = await stack.call(`/v1/allocations/${made.id}`);
    expect(read.status).toBe(200);
    expect(read.body).toMatchObject({ id: made.id, nonce: made.nonce, stage: 'GRANTED' });
    const unknown = await stack.call(`/v1/allocations/${randomUUID()}`);
    expectProblem(unknown, 'NONCE_ALLOCATION_UNKNOWN', 404);
    expect((unknown.body as { fix: string }).fix).toContain('flushed');
  });
});

describe('an operator', () => {
  it('sees the submitter with its engine, epoch and counts', async () => {
    const submitter = newSubmitter();
    const { epoch } = await allocate(submitter, { body: { count: 3 } });
    const view = await waitFor(
      async () => {
        const { body } = await stack.call(`/v1/submitters/${submitter}`);
        return (body as { counts: { RESERVED: number } }).counts.RESERVED === 3 && body;
      },
      { describe: 'the reservations to be counted' },
    );
    expect(view).toMatchObject({ engine: 'performance', epoch, nextLocalNonce: 3 });
  });

  it('pauses a submitter, and Redis issues nothing more from that answer on', async () => {
    const submitter = newSubmitter();
    await allocate(submitter);
    const path = `/v1/submitters/${submitter}`;
    const order = { body: { reason: 'a test' } };
    expect((await stack.call(`${path}/pause`, order)).status).toBe(200);
    const refused = await stack.call(`${path}/allocations`, { body: {} });
    expectProblem(refused, 'NONCE_PAUSED', 423);
    expect((await stack.call(`${path}/resume`, order)).status).toBe(200);
    expect((await allocate(submitter)).nonce).toBe(1);
  });

  it('narrows a window, and Redis keeps to it at once', async () => {
    const submitter = newSubmitter();
    await allocate(submitter, { body: { count: 2 } });
    const settings = { method: 'PUT', body: { maxInFlight: 2 } };
    expect((await stack.call(`/v1/submitters/${submitter}`, settings)).status).toBe(200);
    const refused = await stack.call(`/v1/submitters/${submitter}/allocations`, { body: {} });
    expectProblem(refused, 'NONCE_IN_FLIGHT_LIMIT', 429);
  });

  it('finds Redis, queue and prefetch in the health of both apps', async () => {
    await allocate(newSubmitter());
    await waitFor(
      async () => {
        const { details } = (await stack.health(stack.workerAdminUrl)) as never as {
          details: { nonce: { flush: { lastSuccessAt: string | null } } };
        };
        return details.nonce.flush.lastSuccessAt !== null;
      },
      { describe: 'a flush to be reported' },
    );
    for (const url of [stack.adminUrl, stack.workerAdminUrl]) {
      expect(await stack.health(url)).toMatchObject({
        status: 'ok',
        details: {
          nonce: {
            status: 'up',
            mode: 'PERFORMANCE',
            postgres: { status: 'up' },
            redis: { status: 'up' },
            flush: {
              queued: expect.any(Number),
              deadLetters: 0,
              lastSuccessAt: expect.stringMatching(/Z$/),
              lastFailureAt: null,
            },
          },
        },
      });
    }
    const metrics = await (await fetch(`${stack.adminUrl}/metrics`)).text();
    expect(metrics).toContain('nonce_mode_info{mode="PERFORMANCE"} 1');
    expect(metrics).toContain('nonce_prefetch_exhausted_total');
    expect(metrics).toMatch(/nonce_pool_level [1-9]/);
  });
});

describe('a Redis that is killed', () => {
  it('is stood in for by Postgres, serves held nonces, and has none issued twice later', async () => {
    const submitter = newSubmitter();
    const path = `/v1/submitters/${submitter}/allocations`;
    const held = await Promise.all(Array.from({ length: 5 }, () => allocate(submitter)));
    await stack.redis.kill();
    const served = await stack.call(`/v1/submitters/${newSubmitter()}/allocations`, { body: {} });
    expect((served.body as AllocationsDto).items[0]).toMatchObject({ engine: 'reliable' });
    for (const { id, nonce, epoch } of held.slice(0, 3)) {
      const intent = await say(id, 'intent', { txHash: newHash(), submitter, nonce, epoch });
      expect(intent.body).toMatchObject({ nonce, stage: 'INTENT' });
    }
    expect((await fetch(`${stack.adminUrl}/readyz`)).status).toBe(200);
    expect(await stack.health(stack.adminUrl)).toMatchObject({
      details: { nonce: { status: 'up', mode: 'DEGRADED', redis: { status: 'down' } } },
    });

    await stack.redis.restart();
    const later = await waitFor(
      async () => {
        const answer = await stack.call(path, { body: { count: 4 } });
        return answer.status === 201 && (answer.body as AllocationsDto).items;
      },
      { describe: 'allocations to be served again' },
    );
    const exposed = new Set(held.slice(0, 3).map(({ nonce }) => nonce));
    expect(later.filter(({ nonce }) => exposed.has(nonce))).toEqual([]);
    // The two that nobody vouched for may be issued again; then their first holders are refused.
    for (const { id, nonce, epoch } of later) {
      const intent = await say(id, 'intent', { txHash: newHash(), submitter, nonce, epoch });
      expect(intent.status).toBe(200);
    }
    for (const { id, nonce, epoch } of held.slice(3)) {
      const intent = await say(id, 'intent', { txHash: newHash(), submitter, nonce, epoch });
      const taken = later.some((one) => one.nonce === nonce);
      expect(intent.status).toBe(taken ? 409 : 200);
    }
    const { rows } = await stack.database.pool.query<{ nonce: string }>(
      `SELECT nonce FROM submitter_nonce_allocation WHERE submitter = $1 AND stage = 'INTENT'
       ORDER BY nonce`,
      [submitter],
    );
    expect(new Set(rows.map((row) => row.nonce)).size).toBe(rows.length);
  });
});

describe('a Redis that may evict keys', () => {
  let evicting: PerformanceFixture;
  beforeAll(async () => {
    evicting = await PerformanceFixture.start({}, ['maxmemory-policy allkeys-lru']);
  });
  afterAll(() => evicting.close());

  it('is refused at the start, with the setting that mends it', async () => {
    const api = evicting.launch('api');
    expect(await api.ended).toEqual({ exitCode: 1, signal: null });
    expect(api.output).toContain('NONCE_REDIS_EVICTION');
    expect(api.output).toContain('maxmemory-policy noeviction');
    expect(api.output).not.toMatch(/\n\s+at /);
  });

  it('does no harm to the reliable mode, which keeps nothing there', async () => {
    const api = await evicting.startApi({ NONCE_INITIAL_MODE: 'RELIABLE' });
    const path = `/v1/submitters/${newSubmitter()}/allocations`;
    const answer = await evicting.call(path, { body: {} });
    expect((answer.body as AllocationsDto).items[0]).toMatchObject({ engine: 'reliable' });
    expect((await api.stop()).exitCode).toBe(0);
  });
});

describe('relaxed intents', () => {
  let relaxed: PerformanceFixture;
  beforeAll(async () => {
    relaxed = await PerformanceFixture.start({ NONCE_PERFORMANCE_INTENTS: 'relaxed' });
    await Promise.all([relaxed.startApi(), relaxed.startWorker()]);
  });
  afterAll(() => relaxed.close());

  const stageOf = async (id: string): Promise<string | undefined> => {
    const { rows } = await relaxed.database.pool.query<{ stage: string }>(
      'SELECT stage FROM submitter_nonce_allocation WHERE id = $1',
      [id],
    );
    return rows[0]?.stage;
  };

  it('are written all the same where a client over HTTP writes them, before its answer', async () => {
    const path = `/v1/submitters/${newSubmitter()}/allocations`;
    const { body } = await relaxed.call(path, { body: {} });
    const { id, submitter, nonce, epoch } = (body as AllocationsDto).items[0]!;
    const txHash = newHash();
    const intent = { body: { txHash, submitter, nonce, epoch } };
    expect((await relaxed.call(`/v1/allocations/${id}/intent`, intent)).status).toBe(200);
    expect(await stageOf(id)).toBe('INTENT');
    const used = await relaxed.call(`/v1/allocations/${id}/used`, { body: { txHash } });
    expect(used.body).toMatchObject({ id, status: 'USED' });
    await waitFor(async () => (await stageOf(id)) === 'ASSERTED', {
      describe: 'the use to reach its row',
    });
  });

  it('let half of the window out, so that no more is unknown when Redis is lost', async () => {
    const path = `/v1/submitters/${newSubmitter()}/allocations`;
    expect((await relaxed.call(path, { body: { count: 32 } })).status).toBe(201);
    expectProblem(await relaxed.call(path, { body: {} }), 'NONCE_IN_FLIGHT_LIMIT', 429);
  });
});
