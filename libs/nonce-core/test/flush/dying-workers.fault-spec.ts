import { resolve } from 'node:path';
import type { FastEpoch } from '../../src/ports/fast-epoch-store.port';
import type { FlushEvent } from '../../src/ports/fast-store.port';
import { hashOf } from '../support/store-fixture';
import { NodeProcess } from '../support/node-process';
import { waitFor } from '../support/wait-for';
import { openQueueBench, SHARDS, type QueueBench } from './flush-bench';
import { eventOf, grantOf } from './flushed-rows';
import type { FlushMessage, FlushOrder } from './nodes/flush-node';

const NODE = resolve(__dirname, 'nodes/flush-node.ts');

let bench: QueueBench;
let workers: NodeProcess<FlushMessage>[];
beforeEach(async () => {
  workers = [];
  bench = await openQueueBench();
});
afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.kill()));
  await bench.close();
});

function start(worker: string, order: Partial<FlushOrder> = {}): NodeProcess<FlushMessage> {
  const { url, schema } = bench.fixture.database;
  const whole: FlushOrder = {
    worker,
    databaseUrl: url,
    schema,
    redisUrl: bench.redis.url,
    prefix: bench.redis.prefix,
    shards: SHARDS,
    batchMax: 50,
    leaseMs: 600,
    silentMs: 300,
    diesAfter: null,
    ...order,
  };
  const node = NodeProcess.start<FlushMessage>(NODE, { parameters: [JSON.stringify(whole)] });
  workers.push(node);
  return node;
}

/** Grants that are sent, and grants that are given back and granted again. */
function someEvents(epoch: FastEpoch, count: number): FlushEvent[] {
  return Array.from({ length: count }, (_, nonce) => {
    const grant = grantOf(epoch, nonce);
    if (nonce % 3 > 0) {
      return [eventOf(grant, 'GRANTED'), eventOf(grant, 'BROADCAST', { hashes: [hashOf(nonce)] })];
    }
    const again = grantOf(epoch, nonce, { generation: 3, source: 'recycled' });
    return [eventOf(grant, 'GRANTED'), eventOf(grant, 'REUSABLE'), eventOf(again, 'GRANTED')];
  }).flat();
}

async function expectFlushed(epoch: FastEpoch, events: readonly FlushEvent[]): Promise<void> {
  const rows = await bench.rows(epoch.view.submitter);
  const twin = await bench.inEpoch('relaxed', 2_000);
  await bench.apply(
    ...events.map((event) => ({
      ...event,
      grant: { ...event.grant, submitter: twin.view.submitter, id: twinOf(event.grant.id) },
    })),
  );
  const expected = await bench.rows(twin.view.submitter);
  expect(rows.map((row) => ({ ...row, id: twinOf(row.id) }))).toEqual(expected);
}

/** The same id in another submitter's rows: ids are unique over all. */
function twinOf(id: string): string {
  return `${id.slice(0, -1)}${(15 - parseInt(id.slice(-1), 16)).toString(16)}`;
}

it('a worker killed between commit and acknowledgement leaves its batch to another, which writes the same rows (K9)', async () => {
  const epoch = await bench.inEpoch('relaxed', 2_000);
  const events = someEvents(epoch, 300);
  await bench.enqueue(...events);

  const first = start('first', { diesAfter: 2 });
  const death = await first.message(({ kind }) => kind === 'dies', 'the worker to die');
  await first.ended;
  expect(death).toEqual({ kind: 'dies', committed: 50 });
  const left = await bench.waiting();
  expect(left).toBe(events.length - 100);

  start('second');
  await waitFor(async () => (await bench.waiting()) === 0, { describe: 'the rest to be flushed' });
  await expectFlushed(epoch, events);
  expect(await bench.letters.count()).toBe(0);
}, 60_000);

it('workers killed again and again, and one that is only stopped for a while, lose no event', async () => {
  const epochs = await Promise.all([1, 2, 3].map(() => bench.inEpoch('relaxed', 2_000)));
  const events = epochs.map((epoch) => someEvents(epoch, 150));
  await bench.enqueue(...events.flat());

  for (const [i, diesAfter] of [0, 1, 3].entries()) {
    const worker = start(`mortal-${String(i)}`, { diesAfter });
    await worker.message(({ kind }) => kind === 'dies', 'the worker to die');
    await worker.ended;
  }
  const sleeper = start('sleeper', { batchMax: 10 });
  await sleeper.message(({ kind }) => kind === 'flushed', 'the worker to begin').catch(() => null);
  sleeper.pause();
  await bench.enqueue(...events.flat());
  start('heir');
  await waitFor(async () => (await bench.waiting()) === 0, {
    describe: 'the heir to take over everything',
    timeoutMs: 20_000,
  });
  sleeper.resume();
  await waitFor(async () => (await bench.waiting()) === 0, {
    describe: 'the streams to stay empty',
  });
  for (const [i, epoch] of epochs.entries()) await expectFlushed(epoch, events[i]!);
}, 90_000);

it('a worker that is asked to end finishes its batch and hands over its shards', async () => {
  const epoch = await bench.inEpoch('relaxed', 2_000);
  await bench.enqueue(...someEvents(epoch, 100));
  const worker = start('leaving', { leaseMs: 600_000, silentMs: 600_000 });
  await worker.message(({ kind }) => kind === 'flushed', 'the worker to flush');
  expect(await worker.stop()).toMatchObject({ exitCode: 0 });
  const { rows } = await bench.fixture.database.pool.query(
    'SELECT 1 FROM flush_shard WHERE worker IS NOT NULL',
  );
  expect(rows).toEqual([]);
}, 60_000);
