import { waitFor } from '@noncekit/test-support/wait-for';
import type { AllocationDto, AllocationsDto } from '../allocations/allocation.dto';
import type { ModeDto } from '../modes/mode.dto';
import type { ModeSwitchDto } from '../modes/mode-switch.dto';
import type { SubmitterDto } from '../submitters/submitter.dto';
import type { Answer, Call } from './support/api-fixture';
import { newSubmitter } from './support/new-submitter';
import { PerformanceFixture } from './support/performance-fixture';
import { expectProblem } from './support/problem';

/** What every node has to know within this time of an answer to an operator. */
const LIVE_WITHIN_MS = 1_000;

let stack: PerformanceFixture;
const urls: string[] = [];
beforeAll(async () => {
  stack = await PerformanceFixture.start();
  await stack.startWorker();
  for (let node = 0; node < 2; node += 1) {
    await stack.startApi();
    urls.push(stack.url);
  }
});
afterAll(() => stack.close());

type Say = (path: string, call?: Call) => Promise<Answer>;

function node(index: number): Say {
  return (path, call) => {
    stack.url = urls[index] ?? '';
    return stack.call(path, call);
  };
}
const first = node(0);
const second = node(1);

async function mode(): Promise<ModeDto> {
  return (await second('/v1/ops/mode')).body as ModeDto;
}

async function order(say: Say, to: string): Promise<Answer> {
  const headers = { 'if-match': `"${(await mode()).epoch}"` };
  return say('/v1/ops/mode', { method: 'PUT', headers, body: { mode: to, reason: `to ${to}` } });
}

async function switchThat(place: string, isWanted: (found: ModeSwitchDto) => boolean) {
  return waitFor(
    async () => {
      const found = (await second(place)).body as ModeSwitchDto;
      return isWanted(found) ? found : undefined;
    },
    { describe: `the switch at ${place}` },
  );
}

async function allocate(say: Say, submitter: string): Promise<AllocationDto> {
  const answer = await say(`/v1/submitters/${submitter}/allocations`, { body: {} });
  expect([answer.status, answer.body]).toEqual([201, expect.anything()]);
  return (answer.body as AllocationsDto).items[0]!;
}

describe('prefetch sizes that one node was told', () => {
  /** Nonces that the first allocation of a new submitter brings to Redis. */
  async function fetched(say: Say): Promise<number> {
    const submitter = newSubmitter();
    expect(await allocate(say, submitter)).toMatchObject({ nonce: 0, engine: 'performance' });
    return ((await second(`/v1/submitters/${submitter}`)).body as SubmitterDto).ceiling;
  }

  it('are those of the other within a second, without a restart', async () => {
    expect(await fetched(second)).toBe(32);
    const tookMs: number[] = [];
    for (const size of [40, 48, 56]) {
      const body = { size, lowWater: 8, max: 1_024, reason: 'peak' };
      expect((await first('/v1/ops/prefetch', { method: 'PUT', body })).status).toBe(200);
      const toldAtMs = performance.now();
      await waitFor(async () => (await fetched(second)) === size, {
        describe: `${size} nonces to be fetched at once`,
        everyMs: 50,
      });
      tookMs.push(performance.now() - toldAtMs);
      expect(await fetched(first)).toBe(size);
    }
    // The quickest: what a busy machine adds is not the program's.
    expect(Math.min(...tookMs)).toBeLessThan(LIVE_WITHIN_MS);
  });
});

describe('a running switch', () => {
  it('is aborted through another node: the mode stays, and live holders keep what they hold', async () => {
    const submitter = newSubmitter();
    const { id, nonce, epoch } = await allocate(first, submitter);
    const begun = await order(first, 'DRAIN');
    expect(begun.status).toBe(202);
    const place = begun.headers.get('location') ?? '';
    const running = await switchThat(place, ({ waitsFor }) => (waitsFor?.grants ?? 0) > 0);
    expect(running).toMatchObject({ state: 'running', to: 'DRAIN' });
    expect((await mode()).runningSwitch).toBe(running.id);

    const abort = { body: { reason: 'the window is over' } };
    const aborted = await second('/v1/ops/mode/abort', abort);
    expect([aborted.status, aborted.body]).toEqual([
      200,
      expect.objectContaining({ id: running.id, state: 'aborted' }),
    ]);
    expect(await mode()).toMatchObject({ mode: 'DRAIN', runningSwitch: null });
    expectProblem(await second('/v1/ops/mode/abort', abort), 'NONCE_NOT_FOUND', 404);
    const { rows } = await stack.database.pool.query(
      `SELECT actor, subject, reason FROM audit WHERE action = 'mode.abort'`,
    );
    expect(rows).toMatchObject([{ actor: 'everything', reason: 'the window is over' }]);

    const body = { txHash: `0x${'a1'.repeat(32)}`, submitter, nonce, epoch };
    const intent = await second(`/v1/allocations/${id}/intent`, { body });
    expect([intent.status, intent.body]).toEqual([200, expect.objectContaining({ id, nonce })]);
    expect((await second(place)).body).toMatchObject({ state: 'aborted' });
  });

  it('is aborted by the next one, whose order counts', async () => {
    const back = await order(second, 'PERFORMANCE');
    await switchThat(back.headers.get('location') ?? '', ({ state }) => state === 'done');
    await allocate(first, newSubmitter());
    const begun = await order(first, 'DRAIN');
    const place = begun.headers.get('location') ?? '';
    await switchThat(place, ({ waitsFor }) => (waitsFor?.grants ?? 0) > 0);
    const next = await order(second, 'RELIABLE');
    expect(next.status).toBe(202);
    expect((await first(place)).body).toMatchObject({ state: 'aborted' });
    await switchThat(next.headers.get('location') ?? '', ({ state }) => state === 'done');
    expect(await mode()).toMatchObject({ mode: 'RELIABLE', runningSwitch: null });
  });
});
