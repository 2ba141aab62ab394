import { NonceError } from '../../src/domain/errors/nonce-error';
import type { Epoch } from '../../src/domain/epoch';
import type { FastView, HandedOver } from '../../src/ports/fast-store.port';
import { HandOver } from '../../src/routing/hand-over';
import { newSubmitter } from '../support/store-fixture';

const quiet = () => undefined;
const SILENT = { debug: quiet, info: quiet, warn: quiet, error: quiet };

function viewOf(epoch: number): FastView {
  return {
    submitter: newSubmitter(),
    epoch: epoch as Epoch,
    incarnation: 'one',
  };
}

/** A store that does not answer about each view until it was asked so many times. */
function slowStore(silent: ReadonlyMap<FastView, number>) {
  const asked = new Map<FastView, number>();
  const handOver = (views: readonly FastView[]): Promise<readonly (HandedOver | Error)[]> =>
    Promise.resolve(
      views.map((view) => {
        const times = (asked.get(view) ?? 0) + 1;
        asked.set(view, times);
        return times <= (silent.get(view) ?? 0)
          ? new NonceError('NONCE_STORE_UNAVAILABLE', { message: 'no answer' })
          : { next: view.epoch * 10, facts: [] };
      }),
    );
  const ports = { fast: { handOver, forget: () => Promise.resolve() }, logger: SILENT };
  return { asked, handOver: new HandOver({ ...ports, apply: () => Promise.resolve() }) };
}

describe('H-15: epochs that end in a store which is slow to answer', () => {
  it('are asked about again, those alone that have no answer', async () => {
    const [prompt, slow] = [viewOf(1), viewOf(2)];
    const store = slowStore(new Map([[slow, 4]]));
    expect(await store.handOver.end([prompt, slow])).toEqual([10, 20]);
    expect([store.asked.get(prompt), store.asked.get(slow)]).toEqual([1, 5]);
  });

  it('are given up when it never answers, without the others', async () => {
    const [prompt, dead] = [viewOf(1), viewOf(2)];
    const store = slowStore(new Map([[dead, 99]]));
    expect(await store.handOver.end([dead, prompt])).toEqual([null, 10]);
    expect(store.asked.get(dead)).toBe(5);
  });
});
