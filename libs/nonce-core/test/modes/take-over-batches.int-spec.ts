import type { Submitter } from '../../src/domain/submitter';
import { newSubmitter } from '../support/store-fixture';
import { openRoutingBench, wish, type RoutingBench } from './routing-bench';

const SUBMITTERS = 600;
/** Submitters per statement, on the average: of all that is asked to take them over. */
const SHARED_BY = 50;

let bench: RoutingBench;
beforeEach(async () => {
  bench = await openRoutingBench('PERFORMANCE');
});
afterEach(() => bench.close());

/** How often each statement was asked, by its name. */
function countStatements(): Map<string, number> {
  const counts = new Map<string, number>();
  const names = new Map(
    Object.entries(bench.runner.statements).map(([name, { text }]) => [text, name]),
  );
  const run = bench.runner.run.bind(bench.runner);
  bench.runner.run = (...asked: Parameters<typeof run>) => {
    const name = names.get(asked[0].text) ?? '';
    counts.set(name, (counts.get(name) ?? 0) + 1);
    return run(...asked);
  };
  return counts;
}

it('L1: submitters that are touched together after a switch are taken over by few statements', async () => {
  const node = await bench.routedNode();
  const submitters = Array.from({ length: SUBMITTERS }, () => newSubmitter());
  const touch = (each: Submitter) => node.manager.allocate(wish(each));
  await Promise.all(submitters.map(touch));
  await bench.switchTo('RELIABLE');
  await node.view.refresh();
  const counts = countStatements();
  const granted = await Promise.all(submitters.map(touch));
  const nonces = granted.map(({ allocations: [first] }) => first?.nonce);
  expect(nonces).toEqual(submitters.map(() => 1));
  const asked = (counts.get('rulingFastEpochs') ?? 0) + (counts.get('takeOverSubmitters') ?? 0);
  expect(asked).toBeGreaterThan(0);
  expect(asked).toBeLessThanOrEqual(SUBMITTERS / SHARED_BY);
}, 60_000);
