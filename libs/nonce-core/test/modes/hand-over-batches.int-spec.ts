import { applyFacts } from '../../src/flush/apply-facts';
import type { FlushEvent } from '../../src/ports/fast-store.port';
import { PostgresFlushStore } from '../../src/postgres/postgres-flush-store';
import { HandOver } from '../../src/routing/hand-over';
import { newSubmitter } from '../support/store-fixture';
import { allocateOne, openSwitchBench } from './switch-bench';

const BATCH_MAX = 50;
const EACH = 40;
const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined };

it('L1, S12: facts of many epochs are handed over in statements of a bounded size, in order, none left out', async () => {
  const bench = await openSwitchBench('PERFORMANCE');
  try {
    const node = await bench.switchNode();
    const submitters = Array.from({ length: 3 }, () => newSubmitter());
    for (const submitter of submitters) await node.engine.allocate(allocateOne(submitter, EACH));
    const views = await Promise.all(submitters.map((each) => bench.epochs.ruling(each)));
    const batches: (readonly FlushEvent[])[] = [];
    const store = new PostgresFlushStore(bench.runner);
    const apply = store.apply.bind(store);
    store.apply = (events, quarantine) => {
      batches.push(events);
      return apply(events, quarantine);
    };
    const settings = { quarantine: bench.world.quarantine, batchMax: BATCH_MAX };
    const handOver = new HandOver({
      fast: node.fast,
      apply: (facts) =>
        applyFacts({ store, shardOf: node.fast.shardOf.bind(node.fast) }, settings, facts),
      logger: { ...SILENT, error: () => undefined },
    });
    const ends = await handOver.end(views.map((view) => view!));
    expect(ends).toEqual([EACH, EACH, EACH]);
    expect(batches.map(({ length }) => length)).toEqual([50, 50, 20]);
    const told = batches.flat().map(({ grant }) => `${grant.submitter} ${String(grant.nonce)}`);
    const held = submitters.flatMap((submitter) =>
      Array.from({ length: EACH }, (_, nonce) => `${submitter} ${String(nonce)}`),
    );
    expect([...told].sort()).toEqual([...held].sort());
    // Epoch after epoch: what one of them lacks after a failure is asked for again as a whole.
    const order = told.map((each) => each.split(' ')[0]);
    expect(order.filter((each, i) => each !== order[i - 1])).toEqual(submitters);
    const { rows } = await bench.database.pool.query<{ count: string }>(
      `SELECT count(*) FROM submitter_nonce_allocation
        WHERE submitter = ANY ($1) AND stage = 'GRANTED'`,
      [submitters],
    );
    expect(Number(rows[0]?.count)).toBe(3 * EACH);
  } finally {
    await bench.close();
  }
});
