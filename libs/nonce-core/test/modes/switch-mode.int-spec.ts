import { newSubmitter } from '../support/store-fixture';
import { waitFor } from '../support/wait-for';
import { allocateOne, openSwitchBench, order, type SwitchBench } from './switch-bench';

describe('switching the mode', () => {
  let bench: SwitchBench;
  beforeEach(async () => {
    bench = await openSwitchBench('RELIABLE');
  });
  afterEach(() => bench.close());

  it('counts at once, runs its phases behind, and leaves times, actor and reason in the history', async () => {
    const node = await bench.switchNode();
    const { switch: begun, checks } = await node.switching.switchTo(order('PERFORMANCE'));
    expect(begun).toMatchObject({ from: 'RELIABLE', to: 'PERFORMANCE', actor: 'ops' });
    expect(checks.every(({ ok }) => ok)).toBe(true);
    expect(node.view.current()).toMatchObject({ mode: 'PERFORMANCE', pinned: false });
    await bench.settled();
    const [last] = await node.switching.history(1);
    expect(last).toMatchObject({
      id: begun?.id,
      state: 'done',
      reason: 'a test',
      automatic: false,
    });
    expect(last?.phases.map(({ phase }) => phase)).toEqual(['preflight', 'record', 'mirror']);
    expect(last?.phases.every(({ endedAtMs }) => endedAtMs !== null)).toBe(true);
    await waitFor(() => node.phases.includes('done'), { describe: 'the last phase is told' });
    expect(node.phases).toEqual(['record', 'mirror', 'done']);
  });

  it('lets one of two operators win who decided upon the same epoch', async () => {
    const nodes = [await bench.switchNode(), await bench.switchNode()];
    const { epoch } = nodes[0]!.view.current();
    const answers = await Promise.allSettled([
      nodes[0]!.switching.switchTo(order('PERFORMANCE', epoch)),
      nodes[1]!.switching.switchTo(order('DUAL_WRITE', epoch)),
    ]);
    const lost = answers.filter((answer) => answer.status === 'rejected');
    expect(lost).toHaveLength(1);
    expect(lost[0]?.reason).toMatchObject({
      code: 'NONCE_PRECONDITION',
      context: { by: 'ops', epoch: epoch + 1 },
    });
    await bench.settled();
    expect(await bench.modes.history(5)).toHaveLength(1);
  });

  it('refuses an epoch that is over before anything is looked at', async () => {
    const node = await bench.switchNode();
    const { epoch } = node.view.current();
    await node.switching.switchTo(order('DUAL_WRITE', epoch));
    await expect(node.switching.switchTo(order('RELIABLE', epoch))).rejects.toMatchObject({
      code: 'NONCE_PRECONDITION',
    });
  });

  it('changes nothing when a check fails, and says which and what to do; a dry run only says it', async () => {
    const sources = { flushers: () => Promise.resolve(0) };
    const node = await bench.switchNode({ sources });
    const before = await bench.modes.read();
    await expect(node.switching.switchTo(order('PERFORMANCE'))).rejects.toMatchObject({
      code: 'NONCE_MODE_PREFLIGHT_FAILED',
      context: {
        checks: expect.arrayContaining([
          expect.objectContaining({
            name: 'flush-worker-alive',
            ok: false,
            fix: expect.stringMatching(/flush-worker/),
          }),
        ]),
      },
    });
    const dry = await node.switching.switchTo({ ...order('PERFORMANCE'), dryRun: true });
    expect(dry.switch).toBeNull();
    expect(dry.checks.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual([
      'flush-worker-alive',
    ]);
    expect((await bench.modes.read()).epoch).toBe(before.epoch);
    expect(await bench.modes.history(5)).toEqual([]);
  });

  it('refuses DRAIN from RELIABLE and the mode that is in force already', async () => {
    const node = await bench.switchNode();
    for (const to of ['DRAIN', 'RELIABLE'] as const) {
      await expect(node.switching.switchTo(order(to))).rejects.toMatchObject({
        code: 'NONCE_MODE_PREFLIGHT_FAILED',
        context: { checks: [expect.objectContaining({ name: 'edge', ok: false })] },
      });
    }
  });

  it('pins what an operator keeps: RELIABLE stays, PERFORMANCE may be degraded', async () => {
    const node = await bench.switchNode();
    await node.switching.switchTo(order('DUAL_WRITE'));
    expect(node.view.current().pinned).toBe(false);
    await node.switching.switchTo(order('RELIABLE'));
    expect(node.view.current().pinned).toBe(true);
  });

  it('ends a running switch on order and leaves the mode as it is', async () => {
    const node = await bench.switchNode();
    await node.switching.switchTo(order('PERFORMANCE'));
    await bench.settled();
    const submitter = newSubmitter();
    await node.engine.allocate(allocateOne(submitter));
    const begun = await node.switching.switchTo(order('DRAIN'));
    await waitFor(async () => (await bench.modes.history(1))[0]?.waitsFor?.grants === 1, {
      describe: 'the drain waits for the grant',
    });
    const aborted = await node.switching.abort({ actor: 'ops', reason: 'not now' });
    expect(aborted).toMatchObject({ id: begun.switch?.id, state: 'aborted' });
    await node.runner.stop();
    expect(await bench.modes.read()).toMatchObject({ mode: 'DRAIN', runningSwitch: null });
    expect(await bench.epochs.ruling(submitter)).not.toBeNull();
    expect(await node.switching.abort({ actor: 'ops', reason: 'again' })).toBeNull();
  });
});
