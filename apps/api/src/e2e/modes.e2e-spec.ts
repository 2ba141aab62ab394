import { waitFor } from '@noncekit/test-support/wait-for';
import type { AllocationDto, AllocationsDto } from '../allocations/allocation.dto';
import type { ModeDto } from '../modes/mode.dto';
import type { ModeSwitchDto, ModeSwitchesDto, PreflightDto } from '../modes/mode-switch.dto';
import type { OverviewDto } from '../modes/overview.dto';
import type { PrefetchDto } from '../modes/prefetch.dto';
import { startApi, type Answer } from './support/api-fixture';
import { newSubmitter } from './support/new-submitter';
import { PerformanceFixture } from './support/performance-fixture';
import { expectProblem } from './support/problem';

let stack: PerformanceFixture;
beforeAll(async () => {
  stack = await PerformanceFixture.start({ NONCE_INITIAL_MODE: 'RELIABLE' });
  await Promise.all([stack.startApi(), stack.startWorker()]);
});
afterAll(() => stack.close());

let lastHash = 0;
function newHash(): string {
  lastHash += 1;
  return `0x${lastHash.toString(16).padStart(64, '0')}`;
}

async function mode(): Promise<ModeDto> {
  return (await stack.call('/v1/ops/mode')).body as ModeDto;
}

function order(epoch: number, body: object): Promise<Answer> {
  const headers = { 'if-match': `"${epoch}"` };
  return stack.call('/v1/ops/mode', { method: 'PUT', headers, body });
}

async function audit(action: string): Promise<readonly unknown[]> {
  const { rows } = await stack.database.pool.query(
    'SELECT actor, subject, reason FROM audit WHERE action = $1 ORDER BY at',
    [action],
  );
  return rows;
}

/** Switches and waits until all phases are over. */
async function switchTo(to: string): Promise<ModeSwitchDto> {
  const answer = await order((await mode()).epoch, { mode: to, reason: `to ${to}` });
  expect([answer.status, answer.body]).toEqual([202, expect.objectContaining({ to })]);
  const place = answer.headers.get('location') ?? '';
  return waitFor(
    async () => {
      const found = (await stack.call(place)).body as ModeSwitchDto;
      return found.state === 'running' ? undefined : found;
    },
    { describe: `the switch to ${to} to end` },
  );
}

async function allocate(submitter: string): Promise<AllocationDto> {
  const answer = await stack.call(`/v1/submitters/${submitter}/allocations`, { body: {} });
  expect([answer.status, answer.body]).toEqual([201, expect.anything()]);
  return (answer.body as AllocationsDto).items[0]!;
}

describe('the mode', () => {
  it('is that of the first boot, with its epoch as ETag', async () => {
    const answer = await stack.call('/v1/ops/mode');
    expect(answer.body).toMatchObject({
      mode: 'RELIABLE',
      epoch: 1,
      pinned: false,
      returnTo: null,
      mayFollow: ['DUAL_WRITE', 'PERFORMANCE'],
      runningSwitch: null,
    });
    expect(answer.headers.get('etag')).toBe('"1"');
  });

  it('stays as it is after a dry run, which names each check', async () => {
    const answer = await order(1, { mode: 'PERFORMANCE', reason: 'x', dryRun: true });
    expect(answer.status).toBe(200);
    const { possible, checks, ...rest } = answer.body as PreflightDto;
    expect(rest).toEqual({ mode: 'PERFORMANCE', epoch: 1 });
    expect(checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['edge', 'redis-healthy', 'redis-eviction', 'flush-worker-alive']),
    );
    expect([possible, checks.filter(({ ok }) => !ok)]).toEqual([true, []]);
    expect(await mode()).toMatchObject({ mode: 'RELIABLE', epoch: 1 });
    expect(await audit('mode.switch')).toEqual([]);
  });

  it('is not switched when a check fails, and each failed check says what mends it', async () => {
    const answer = await order(1, { mode: 'DRAIN', reason: 'x' });
    expectProblem(answer, 'NONCE_MODE_PREFLIGHT_FAILED', 409);
    const { context } = answer.body as { context: { checks: PreflightDto['checks'] } };
    expect(context.checks.filter(({ ok }) => !ok)).toEqual([
      {
        name: 'edge',
        ok: false,
        detail: expect.stringContaining('DRAIN cannot follow RELIABLE'),
        fix: expect.stringMatching(/\w/),
      },
    ]);
    const dry = await order(1, { mode: 'DRAIN', reason: 'x', dryRun: true });
    expect([dry.status, dry.body]).toEqual([200, expect.objectContaining({ possible: false })]);
  });

  it('is switched by one of two operators at once; the other learns what is in force', async () => {
    const { epoch } = await mode();
    const answers = await Promise.all([
      order(epoch, { mode: 'PERFORMANCE', reason: 'first' }),
      order(epoch, { mode: 'DUAL_WRITE', reason: 'second' }),
    ]);
    const won = answers.find(({ status }) => status === 202)!;
    const lost = answers.find(({ status }) => status !== 202)!;
    expectProblem(lost, 'NONCE_PRECONDITION', 412);
    const { to } = won.body as ModeSwitchDto;
    expect(lost.body).toMatchObject({ context: { mode: to, epoch: epoch + 1 } });
    expect(won.headers.get('etag')).toBe(`"${epoch + 1}"`);
    expect(await mode()).toMatchObject({ mode: to, epoch: epoch + 1, by: 'everything' });
    expect(await audit('mode.switch')).toMatchObject([{ actor: 'everything', subject: to }]);
    await switchTo('RELIABLE');
  });

  it('decides where nonces come from, and a drain keeps live holders (H-15, I-31)', async () => {
    const submitter = newSubmitter();
    expect(await allocate(submitter)).toMatchObject({ nonce: 0, engine: 'reliable' });
    await switchTo('PERFORMANCE');
    const held = await allocate(submitter);
    expect(held).toMatchObject({ nonce: 1, engine: 'performance' });

    const draining = await order((await mode()).epoch, { mode: 'DRAIN', reason: 'upgrade' });
    expect(draining.status).toBe(202);
    expect(await allocate(submitter)).toMatchObject({ nonce: 2, engine: 'reliable' });
    const { id, nonce, epoch } = held;
    const body = { txHash: newHash(), submitter, nonce, epoch };
    const intent = await stack.call(`/v1/allocations/${id}/intent`, { body });
    expect([intent.status, intent.body]).toEqual([
      200,
      expect.objectContaining({ id, nonce: 1, stage: 'INTENT' }),
    ]);
    const done = await waitFor(
      async () => {
        const place = draining.headers.get('location') ?? '';
        const found = (await stack.call(place)).body as ModeSwitchDto;
        return found.state === 'done' ? found : undefined;
      },
      { describe: 'the drain to end' },
    );
    expect(done.phases.map(({ phase }) => phase)).toEqual([
      'preflight',
      'record',
      'mirror',
      'drain',
    ]);
    for (const { durationMs } of done.phases) expect(durationMs).toBeGreaterThanOrEqual(0);
    await switchTo('RELIABLE');
  });

  it('has a history, newest first, page by page', async () => {
    const first = (await stack.call('/v1/ops/mode/switches?limit=2')).body as ModeSwitchesDto;
    expect(first.items.map(({ to }) => to)).toEqual(['RELIABLE', 'DRAIN']);
    const path = `/v1/ops/mode/switches?limit=200&before=${first.nextBefore}`;
    const rest = (await stack.call(path)).body as ModeSwitchesDto;
    expect(rest.nextBefore).toBeNull();
    const ids = [...first.items, ...rest.items].map(({ id }) => id);
    expect(ids).toEqual([...ids].sort((a, b) => b - a));
    expect(new Set(ids).size).toBe(ids.length);
    expectProblem(await stack.call('/v1/ops/mode/switches/999999'), 'NONCE_NOT_FOUND', 404);
  });

  it('cannot be aborted when no switch is running', async () => {
    const answer = await stack.call('/v1/ops/mode/abort', { body: { reason: 'x' } });
    expectProblem(answer, 'NONCE_NOT_FOUND', 404);
  });
});

describe('prefetch', () => {
  it('is that of the configuration until an operator sets it, then his for all nodes', async () => {
    const before = (await stack.call('/v1/ops/prefetch')).body as PrefetchDto;
    expect(before).toEqual({ size: 32, lowWater: 8, max: 1_024, tuned: false });
    const body = { size: 64, lowWater: 16, max: 2_048, reason: 'peak' };
    const sizes = { size: 64, lowWater: 16, max: 2_048, tuned: true };
    const set = await stack.call('/v1/ops/prefetch', { method: 'PUT', body });
    expect([set.status, set.body]).toEqual([200, sizes]);
    expect((await stack.call('/v1/ops/prefetch')).body).toEqual(sizes);
  });
});

describe('a pin', () => {
  it('is followed instead of the mode until it is taken off', async () => {
    const submitter = newSubmitter();
    const path = `/v1/submitters/${submitter}`;
    const pin = (pinnedMode: string | null) =>
      stack.call(path, { method: 'PUT', body: { pinnedMode } });
    expect(await allocate(submitter)).toMatchObject({ engine: 'reliable' });
    expect((await stack.call(path)).body).toMatchObject({ pinnedMode: null });
    expect((await pin('PERFORMANCE')).body).toMatchObject({ pinnedMode: 'PERFORMANCE' });
    expect(await allocate(submitter)).toMatchObject({ engine: 'performance', nonce: 1 });
    expect((await pin(null)).body).toMatchObject({ pinnedMode: null });
    expect(await allocate(submitter)).toMatchObject({ engine: 'reliable', nonce: 2 });
  });

  it('to what needs Redis is refused where there is none', async () => {
    const api = await startApi();
    try {
      const path = `/v1/submitters/${newSubmitter()}`;
      await api.call(`${path}/allocations`, { body: {} });
      const pin = (pinnedMode: string) => api.call(path, { method: 'PUT', body: { pinnedMode } });
      const refused = await pin('PERFORMANCE');
      expectProblem(refused, 'NONCE_VALIDATION', 400);
      expect(refused.body).toMatchObject({ errors: [{ pointer: '/pinnedMode' }] });
      expect((await pin('RELIABLE')).status).toBe(200);
    } finally {
      await api.close();
    }
  });
});

it('the overview tells of the mirror once somebody compares it', async () => {
  await switchTo('DUAL_WRITE');
  const mirror = await waitFor(
    async () => ((await stack.call('/v1/ops/overview')).body as OverviewDto).mirror ?? undefined,
    { describe: 'a comparison of the mirror' },
  );
  expect(mirror.divergences).toEqual([]);
  await switchTo('RELIABLE');
});

it('the overview shows mode and health together', async () => {
  const overview = (await stack.call('/v1/ops/overview')).body as OverviewDto;
  expect(overview).toMatchObject({
    mode: { mode: 'RELIABLE' },
    runningSwitch: null,
    healthy: true,
    health: { postgres: { status: 'up' }, redis: { status: 'up' } },
  });
});
