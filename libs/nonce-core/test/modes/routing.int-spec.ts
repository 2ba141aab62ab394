import { setTimeout as pause } from 'node:timers/promises';
import type { Allocation } from '../../src/domain/allocation';
import type { Submitter } from '../../src/domain/submitter';
import { INTENT_POLICIES } from '../../src/ports/fast-epoch-store.port';
import { DATABASE_DEFAULTS } from '../../src/postgres/data-source';
import { hashOf, newSubmitter } from '../support/store-fixture';
import { openRoutingBench, wish, type RoutedNode, type RoutingBench } from './routing-bench';

const MANY = 2_000;

let bench: RoutingBench;
beforeEach(async () => {
  bench = await openRoutingBench('PERFORMANCE');
});
afterEach(() => bench.close());

async function one(
  { manager }: RoutedNode,
  submitter: Submitter,
  own: Parameters<typeof wish>[1] = {},
): Promise<Allocation> {
  const { allocations } = await manager.allocate(wish(submitter, own));
  return allocations[0]!;
}

const refOf = ({ id, submitter, nonce, epoch }: Allocation) => ({ id, submitter, nonce, epoch });
const switching = { code: 'NONCE_MODE_SWITCHING' };

async function countByEngine(): Promise<Record<string, number>> {
  const { rows } = await bench.database.pool.query<{ engine: string; count: string }>(
    'SELECT engine, count(*) FROM submitter_nonce_state GROUP BY engine',
  );
  return Object.fromEntries(rows.map(({ engine, count }) => [engine, Number(count)]));
}

it('L5: a row locked for longer than a statement waits costs callers time, and none its call', async () => {
  const node = await bench.routedNode();
  const submitter = newSubmitter();
  await bench.switchTo('RELIABLE');
  const held = await one(node, submitter);
  const locker = await bench.database.pool.connect();
  try {
    await locker.query('BEGIN');
    await locker.query('SELECT FROM submitter_nonce_state WHERE submitter = $1 FOR UPDATE', [
      submitter,
    ]);
    const calls = Promise.all([
      one(node, submitter),
      node.manager.intent(refOf(held), { txHash: hashOf(1) }),
    ]);
    // The lock timeout itself has to pass.
    await pause(1.2 * DATABASE_DEFAULTS.lockTimeoutMs);
    await locker.query('ROLLBACK');
    const [granted, intent] = await calls;
    expect(granted.nonce).toBe(1);
    expect(intent.allocation.stage).toBe('INTENT');
  } finally {
    locker.release();
  }
});

describe('a node that is behind', () => {
  it('H-15: 2,000 submitters move at first touch; the switch moves none, and fences no live holder', async () => {
    const [node, stale] = [await bench.routedNode(), await bench.routedNode()];
    const submitters = Array.from({ length: MANY }, () => newSubmitter());
    const held = await Promise.all(submitters.map((each) => one(node, each)));
    await bench.switchTo('RELIABLE');
    expect(await countByEngine()).toEqual({ performance: MANY });
    await expect(node.performance.allocate(wish(submitters[0]!))).rejects.toMatchObject(switching);
    expect(stale.view.current().mode).toBe('PERFORMANCE');
    const next = await Promise.all(submitters.map((each) => one(stale, each)));
    expect(new Set(next.map(({ nonce, engine }) => `${nonce} ${engine}`))).toEqual(
      new Set(['1 reliable']),
    );
    expect(await countByEngine()).toEqual({ reliable: MANY });
    const intents = await Promise.all(
      held.map((each, i) => node.manager.intent(refOf(each), { txHash: hashOf(i + 1) })),
    );
    expect(new Set(intents.map(({ allocation }) => allocation.stage))).toEqual(new Set(['INTENT']));
  }, 60_000);

  it('is refused inside the script, reads the mode, and its caller is served by Postgres', async () => {
    const node = await bench.routedNode();
    const submitter = newSubmitter();
    await one(node, submitter);
    await bench.switchTo('RELIABLE');
    expect(node.view.current().mode).toBe('PERFORMANCE');
    expect(await one(node, submitter)).toMatchObject({ nonce: 1, engine: 'reliable' });
    expect(node.view.current().mode).toBe('RELIABLE');
  });

  it('is refused inside the statement where Redis was not told yet', async () => {
    const node = await bench.routedNode();
    await bench.switchTo('RELIABLE', false);
    expect(await one(node, newSubmitter())).toMatchObject({ nonce: 0, engine: 'reliable' });
    expect(await countByEngine()).toEqual({ reliable: 1 });
  });

  it('does not take submitters away from Redis after the mode came back', async () => {
    await bench.switchTo('RELIABLE');
    const [stale, node] = [await bench.routedNode(), await bench.routedNode()];
    const submitter = newSubmitter();
    await one(stale, submitter);
    await bench.switchTo('PERFORMANCE');
    await node.view.refresh();
    expect(await one(node, submitter)).toMatchObject({ nonce: 1, engine: 'performance' });
    expect(await one(stale, submitter)).toMatchObject({ nonce: 2, engine: 'performance' });
  });

  it('passes on what holders say of grants that only Redis knows', async () => {
    await bench.switchTo('RELIABLE');
    const stale = await bench.routedNode();
    await bench.switchTo('PERFORMANCE');
    const held = await one(await bench.routedNode(), newSubmitter());
    const { allocation } = await stale.manager.intent(refOf(held), { txHash: hashOf(1) });
    expect(allocation).toMatchObject({ id: held.id, stage: 'INTENT' });
  });

  it('serves while the mode goes to and fro, each nonce once', async () => {
    const nodes = [await bench.routedNode(), await bench.routedNode()];
    const submitters = Array.from({ length: 10 }, () => newSubmitter());
    const granted: Allocation[] = [];
    let done = false;
    const callers = nodes.flatMap((node) =>
      submitters.map(async (submitter) => {
        while (!done) granted.push(await one(node, submitter));
      }),
    );
    for (const mode of ['RELIABLE', 'PERFORMANCE', 'DRAIN', 'PERFORMANCE', 'RELIABLE'] as const) {
      await bench.switchTo(mode);
      const seen = granted.length;
      while (granted.length < seen + 100) await new Promise(setImmediate);
    }
    done = true;
    await Promise.all(callers);
    const names = granted.map(({ submitter, nonce }) => `${submitter} ${nonce}`);
    expect(new Set(names).size).toBe(names.length);
  }, 60_000);
});

it('without what Redis tells, a live holder loses its nonce to the next caller: the hand-over matters', async () => {
  const [node, deaf] = [await bench.routedNode(), await bench.routedNode({ deaf: true })];
  const held = await one(node, newSubmitter());
  await bench.switchTo('RELIABLE');
  expect((await one(deaf, held.submitter)).nonce).toBe(held.nonce);
  await expect(node.manager.intent(refOf(held), { txHash: hashOf(1) })).rejects.toMatchObject({
    code: 'NONCE_FENCED',
  });
});

describe.each(INTENT_POLICIES)('live holders under %s intents', (intents) => {
  it('keep what they hold through a switch there and back, on every node', async () => {
    const [node, other] = [
      await bench.routedNode({ intents }),
      await bench.routedNode({ intents }),
    ];
    const submitter = newSubmitter();
    const held = [];
    for (let i = 0; i < 5; i += 1) held.push(await one(node, submitter));
    const [used, sent, back, beaten, late] = held as [
      Allocation,
      Allocation,
      Allocation,
      Allocation,
      Allocation,
    ];
    await bench.switchTo('RELIABLE');
    expect((await one(other, submitter)).nonce).toBe(5);
    await other.manager.markUsed(refOf(used), {});
    await node.manager.intent(refOf(sent), { txHash: hashOf(1) });
    await node.manager.heartbeat(refOf(beaten), { ttlMs: 60_000 });
    await bench.switchTo('PERFORMANCE');
    expect((await one(other, submitter)).nonce).toBe(6);
    await node.manager.markRecyclable(refOf(back), { reason: 'not needed' });
    await other.manager.intent(refOf(late), { txHash: hashOf(2) });
    await other.performance.loadFree(100);
    expect((await one(other, submitter)).nonce).toBe(2);
    expect((await one(node, submitter)).nonce).toBe(7);
    await bench.flush(submitter);
    const { rows } = await bench.database.pool.query<{ stage: string }>(
      'SELECT stage FROM submitter_nonce_allocation WHERE submitter = $1 ORDER BY nonce',
      [submitter],
    );
    const stages = rows.map(({ stage }) => stage);
    // What was fetched ahead and never issued is free; nothing is in quarantine.
    expect(new Set(stages.slice(8))).toEqual(new Set(['REUSABLE']));
    expect(stages.slice(0, 8)).toEqual([
      'ASSERTED',
      'INTENT',
      ...['GRANTED', 'GRANTED'],
      'INTENT',
      ...['GRANTED', 'GRANTED', 'GRANTED'],
    ]);
  });

  it('speak while their epoch is handed over and its facts have not come to Postgres', async () => {
    const node = await bench.routedNode({ intents });
    const other = await bench.routedNode({ intents });
    const held = await one(node, newSubmitter());
    const view = await bench.epochs.ruling(held.submitter);
    await bench.fast.store.handOver([view!]);
    const { allocation } = await other.manager.markUsed(refOf(held), { txHash: hashOf(7) });
    expect(allocation).toMatchObject({ id: held.id, hashes: [hashOf(7)] });
    // Whoever handed it over died: the next caller ends it and goes on where it stood.
    expect((await one(node, held.submitter)).nonce).toBe(1);
  });
});

describe.each([
  ['PERFORMANCE', 'RELIABLE'],
  ['RELIABLE', 'PERFORMANCE'],
] as const)('an operation from %s to %s', (from, to) => {
  beforeEach(async () => {
    if (from === 'RELIABLE') await bench.switchTo('RELIABLE');
  });

  it('H-2: gets the nonce again that it was granted before the switch', async () => {
    const [node, other] = [await bench.routedNode(), await bench.routedNode()];
    const submitter = newSubmitter();
    const operationId = 'invoice-7';
    await one(node, submitter);
    const first = await one(node, submitter, { operationId });
    await bench.switchTo(to);
    await one(other, submitter);
    const again = await one(other, submitter, { operationId });
    expect(again).toMatchObject({ id: first.id, nonce: first.nonce });
    const { allocation } = await node.manager.intent(refOf(first), { txHash: hashOf(3) });
    expect(allocation.stage).toBe('INTENT');
  });

  it('H-8: whose intent was written and not answered gets the same nonce after the switch', async () => {
    const [node, other] = [await bench.routedNode(), await bench.routedNode()];
    const submitter = newSubmitter();
    const operationId = 'invoice-8';
    const first = await one(node, submitter, { operationId });
    await node.manager.intent(refOf(first), { txHash: hashOf(4) });
    await bench.switchTo(to);
    expect((await one(other, submitter)).nonce).toBe(first.nonce + 1);
    const again = await one(other, submitter, { operationId });
    expect(again).toMatchObject({ nonce: first.nonce, stage: 'INTENT', hashes: [hashOf(4)] });
  });
});

describe('pins', () => {
  it('go before the mode, but not to a Redis that is left', async () => {
    const node = await bench.routedNode();
    const [fast, plain] = [newSubmitter(), newSubmitter()];
    await Promise.all([fast, plain].map((each) => one(node, each)));
    await bench.modes.pin(plain, 'RELIABLE', 'test');
    await bench.modes.pin(fast, 'PERFORMANCE', 'test');
    await node.view.refresh();
    const engines = async () =>
      (await Promise.all([fast, plain].map((each) => one(node, each)))).map(({ engine }) => engine);
    expect(await engines()).toEqual(['performance', 'reliable']);
    await bench.switchTo('RELIABLE');
    expect(await engines()).toEqual(['performance', 'reliable']);
    await bench.switchTo('PERFORMANCE');
    await bench.switchTo('DRAIN');
    expect(await engines()).toEqual(['reliable', 'reliable']);
    await bench.modes.pin(fast, null, 'test');
    expect((await node.view.refresh()).pins.has(fast)).toBe(false);
  });
});
