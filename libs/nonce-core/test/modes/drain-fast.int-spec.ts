import type { Allocation } from '../../src/domain/allocation';
import { newSubmitter } from '../support/store-fixture';
import { waitFor } from '../support/wait-for';
import {
  allocateOne,
  openSwitchBench,
  order,
  type SwitchBench,
  type SwitchNode,
} from './switch-bench';

const HASH = `0x${'ab'.repeat(32)}` as const;
const refOf = ({ id, submitter, nonce, epoch }: Allocation) => ({ id, submitter, nonce, epoch });

describe('draining Redis', () => {
  let bench: SwitchBench;
  beforeEach(async () => {
    bench = await openSwitchBench('PERFORMANCE');
  });
  afterEach(() => bench.close());

  async function grants(node: SwitchNode, submitters: number, each: number): Promise<Allocation[]> {
    const found = await Promise.all(
      Array.from({ length: submitters }, async () => {
        const submitter = newSubmitter();
        return (await node.engine.allocate(allocateOne(submitter, each))).allocations;
      }),
    );
    return found.flat();
  }

  async function stages(): Promise<Record<string, number>> {
    const { rows } = await bench.database.pool.query<{ stage: string; count: number }>(
      'SELECT stage, count(*)::int AS count FROM submitter_nonce_allocation GROUP BY stage',
    );
    return Object.fromEntries(rows.map(({ stage, count }) => [stage, count]));
  }

  it('brings 10,000 queued events to their rows within 5 s, and says what it waits for', async () => {
    const node = await bench.switchNode();
    await grants(node, 200, 50);
    const switchedAtMs = performance.now();
    const begun = await node.switching.switchTo(order('RELIABLE'));
    const recordedMs = performance.now() - switchedAtMs;
    const over = await bench.settled();
    const tookMs = performance.now() - switchedAtMs;
    expect(over).toMatchObject({ id: begun.switch?.id, state: 'done' });
    expect(tookMs).toBeLessThan(5_000);
    expect(recordedMs).toBeLessThan(1_000);
    expect(await stages()).toEqual({ GRANTED: 10_000 });
    expect(await bench.modes.countFastEpochs(10)).toBe(0);
    const { phase, note } = over.phases.at(-1)!;
    expect([phase, note]).toEqual(['drain', '200 epochs ended']);
    const queued = await bench.redis.client.keys(`${bench.redis.prefix}*events*`);
    const lengths = await Promise.all(queued.map((key) => bench.redis.client.xlen(key)));
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(0);
  });

  it('I-31: a planned switch fences no slow live holder: what Redis granted is settled in Postgres', async () => {
    const node = await bench.switchNode();
    const held = await grants(node, 20, 2);
    await node.switching.switchTo(order('RELIABLE'));
    await bench.settled();
    for (const [i, allocation] of held.entries()) {
      const txHash = `0x${i.toString(16).padStart(64, '0')}` as const;
      const { allocation: after } = await node.engine.intent(refOf(allocation), { txHash });
      expect(after).toMatchObject({ nonce: allocation.nonce, stage: 'INTENT' });
    }
  });

  it('lets live holders settle in DRAIN and is over as soon as the last one has', async () => {
    const node = await bench.switchNode();
    const [first, second] = await grants(node, 1, 2);
    await node.switching.switchTo(order('DRAIN'));
    const waits = await waitFor(
      async () => {
        const [last] = await bench.modes.history(1);
        return last?.waitsFor?.grants === 2 && last.waitsFor;
      },
      { describe: 'the drain says that it waits for two grants' },
    );
    expect(waits).toMatchObject({ events: 0, grants: 2, epochs: 1 });
    expect(waits.deadlineMs - Date.now()).toBeGreaterThan(20_000);
    await node.engine.markUsed(refOf(first!), { txHash: HASH });
    await node.engine.markRecyclable(refOf(second!), { reason: 'not needed' });
    const over = await bench.settled();
    expect(over.phases.at(-1)).toMatchObject({ phase: 'drain', note: '1 epochs ended' });
    expect((await bench.modes.read()).mode).toBe('DRAIN');
  });

  it('ends at its deadline with the rest parked as rows that their holders still own', async () => {
    const node = await bench.switchNode({ drainDeadlineMs: 700 });
    const [held] = await grants(node, 1, 1);
    const begunAtMs = performance.now();
    await node.switching.switchTo(order('DRAIN'));
    const over = await bench.settled();
    expect(performance.now() - begunAtMs).toBeGreaterThan(700);
    expect(over.phases.at(-1)?.note).toBe('1 epochs ended, 1 grants parked at the deadline');
    expect(await stages()).toEqual({ GRANTED: 1 });
    const { allocation } = await node.engine.intent(refOf(held!), { txHash: HASH });
    expect(allocation.stage).toBe('INTENT');
  });

  it('gives way to the next switch, which does what is left', async () => {
    const node = await bench.switchNode();
    await grants(node, 3, 1);
    const drain = await node.switching.switchTo(order('DRAIN'));
    const next = await node.switching.switchTo(order('RELIABLE'));
    await bench.settled();
    const [last, before] = await bench.modes.history(2);
    expect(before).toMatchObject({ id: drain.switch?.id, state: 'aborted' });
    expect(last).toMatchObject({ id: next.switch?.id, state: 'done' });
    expect(await bench.modes.countFastEpochs(10)).toBe(0);
  });

  it('goes on where a dead runner stopped: nobody grants from Redis, and the next runner finishes', async () => {
    const [first, second] = [await bench.switchNode(), await bench.switchNode()];
    await grants(first, 5, 1);
    // It dies between the commit of the switch and its first phase.
    await first.runner.stop();
    await first.switching.switchTo(order('RELIABLE'));
    expect(await bench.modes.claimRunning(second.name, 5_000)).toBeNull();
    await bench.database.pool.query(
      `UPDATE mode_switch SET heartbeat_at = heartbeat_at - interval '6 s' WHERE state = 'running'`,
    );
    second.runner.tick();
    expect(await bench.settled()).toMatchObject({ state: 'done', to: 'RELIABLE' });
    expect(await bench.modes.countFastEpochs(10)).toBe(0);
    expect(await stages()).toEqual({ GRANTED: 5 });
  });

  it('sweeps up, without a switch, epochs that a lost store kept from being drained', async () => {
    const node = await bench.switchNode();
    await grants(node, 5, 1);
    // The new mode is recorded and its runner never ran.
    await node.runner.stop();
    await node.switching.switchTo(order('RELIABLE'));
    await node.view.refresh();
    await node.drain.sweep(null, new AbortController().signal);
    expect(await bench.modes.countFastEpochs(10)).toBe(0);
    expect(await stages()).toEqual({ GRANTED: 5 });
  });

  it('leaves submitters in Redis that are pinned there', async () => {
    const node = await bench.switchNode();
    const [pinned] = await grants(node, 1, 1);
    await grants(node, 2, 1);
    await bench.modes.pin(pinned!.submitter, 'PERFORMANCE', 'ops');
    await node.switching.switchTo(order('RELIABLE'));
    await bench.settled();
    expect(await bench.epochs.ruling(pinned!.submitter)).not.toBeNull();
    expect(await bench.modes.countFastEpochs(10)).toBe(1);
  });
});
