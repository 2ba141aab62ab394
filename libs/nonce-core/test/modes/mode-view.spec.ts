import { NonceError } from '../../src/domain/errors/nonce-error';
import type { ModeSnapshot } from '../../src/ports/mode-store.port';
import { ModeView } from '../../src/routing/mode-view';
import { FakeClock } from '../../src/testing/fake-clock';
import { modeSnapshot } from '../support/fixed-mode';
import { newSubmitter } from '../support/store-fixture';

const noop = () => undefined;

/** A row that tests change, and a count of how often it was read. */
async function openView() {
  const row = { now: modeSnapshot(), reads: 0, error: null as Error | null };
  const gates: (() => void)[] = [];
  const warnings: string[] = [];
  const clock = new FakeClock();
  const store = {
    read: async (): Promise<ModeSnapshot> => {
      row.reads += 1;
      const found = row.now;
      if (gated) await new Promise<void>((resolve) => gates.push(resolve));
      if (row.error !== null) throw row.error;
      return found;
    },
  };
  let gated = false;
  const warn = (message: string) => void warnings.push(message);
  const view = await ModeView.open({
    store,
    clock,
    logger: { debug: noop, info: noop, warn, error: noop },
  });
  return {
    ...{ row, view, clock, warnings },
    gate: () => (gated = true),
    open: () => {
      gates.splice(0).forEach((each) => {
        each();
      });
    },
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("a node's view of the mode", () => {
  it('reads once for all who ask at the same time, and again for who asked after it began', async () => {
    const { row, view, gate, open } = await openView();
    gate();
    const early = view.refresh();
    await turn();
    row.now = modeSnapshot({ mode: 'RELIABLE', epoch: 2 });
    const late = [view.refresh(), view.refresh(), view.refresh()];
    open();
    expect((await early).mode).toBe('PERFORMANCE');
    await turn();
    open();
    expect((await Promise.all(late)).map(({ mode }) => mode)).toEqual(Array(3).fill('RELIABLE'));
    expect(row.reads).toBe(3);
  });

  it('stays as it was while it cannot be read, and says so once', async () => {
    const { row, view, warnings } = await openView();
    row.error = new NonceError('NONCE_STORE_UNAVAILABLE');
    for (let i = 0; i < 3; i += 1) expect((await view.refresh()).epoch).toBe(1);
    expect(warnings).toHaveLength(1);
    row.error = null;
    row.now = modeSnapshot({ epoch: 2 });
    expect((await view.refresh()).epoch).toBe(2);
    row.error = new NonceError('NONCE_STORE_UNAVAILABLE');
    await view.refresh();
    expect(warnings).toHaveLength(2);
  });

  it('wakes who waits for a change at once, and others when their time is over', async () => {
    const { row, view, clock } = await openView();
    const [first, second] = [view.waitForChange(1, 1_000), view.waitForChange(2, 1_000)];
    row.now = modeSnapshot({ mode: 'DEGRADED', epoch: 2 });
    await view.refresh();
    expect((await first).mode).toBe('DEGRADED');
    expect(clock.sleeping).toBe(1);
    await clock.advance(1_000);
    expect((await second).epoch).toBe(2);
  });

  it('tells listeners of epochs, pins and sizes, of nothing else, and of the first reading', async () => {
    const { row, view } = await openView();
    const heard: number[] = [];
    view.onChange(() => {
      throw new Error('a listener that fails keeps no other from hearing');
    });
    view.onChange(({ epoch, pins, prefetch }) => heard.push(epoch, pins.size, prefetch?.size ?? 0));
    const pins = new Map([[newSubmitter(), 'RELIABLE' as const]]);
    const prefetch = { size: 9, lowWater: 1, max: 9 };
    for (const change of [
      { fastEpochs: false },
      { pins },
      { pins: new Map(pins), ageMs: 5 },
      { pins, prefetch },
      { pins, prefetch: { ...prefetch } },
      { epoch: 2 },
    ]) {
      row.now = modeSnapshot(change);
      await view.refresh();
    }
    expect(heard).toEqual([1, 0, 0, 1, 1, 0, 1, 1, 9, 2, 0, 0]);
  });
});
