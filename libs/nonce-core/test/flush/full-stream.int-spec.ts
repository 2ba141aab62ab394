import { v7 } from 'uuid';
import type { FastAllocateAnswer, FastGrant, FastView } from '../../src/ports/fast-store.port';
import { duplicateForFastStore } from '../../src/redis/fast-connection';
import type { RedisClient } from '../../src/redis/redis-client';
import { RedisFastStore } from '../../src/redis/redis-fast-store';
import { baselineOf, FIRST_MODE_EPOCH, hashOf, newSubmitter } from '../support/store-fixture';
import { waitFor } from '../support/wait-for';
import { openQueueBench, type QueueBench } from './flush-bench';

const STREAM_MAX = 5;

let bench: QueueBench;
let client: RedisClient;
let fast: RedisFastStore;

beforeAll(async () => {
  bench = await openQueueBench();
  client = duplicateForFastStore(bench.redis.client);
  await waitFor(() => client.status === 'ready', { describe: 'the fast store to connect' });
  fast = new RedisFastStore(client, bench.keys, { maxWaitingEvents: STREAM_MAX });
});
afterAll(async () => {
  client.disconnect();
  await bench.close();
});

/** An epoch that rules in both stores, in a shard that is empty. */
async function opened(): Promise<FastView> {
  const submitter = newSubmitter();
  // Another submitter of a test before may share the shard.
  await bench.worker('before').flush.flushNow(fast.shardOf(submitter));
  await bench.fixture.store.open(baselineOf(submitter));
  const incarnation = await fast.incarnationOf(submitter);
  const [answer] = await bench.epochs.enter(
    [{ submitter, incarnation, badEpoch: null, raise: 64, defaultWindow: 0, reason: 'test' }],
    'relaxed',
    FIRST_MODE_EPOCH,
  );
  if (answer?.kind !== 'epoch') throw new Error('no epoch');
  const { view, base, ceiling, limits, loan } = answer.epoch;
  const opening = { view, modeEpoch: FIRST_MODE_EPOCH, base, ceiling, limits, loan };
  await fast.open([{ ...opening, free: [], moreFree: false }]);
  return view;
}

async function ask(view: FastView): Promise<FastAllocateAnswer> {
  const [answer] = await fast.allocate([
    {
      view,
      ids: [v7()],
      operationId: null,
      requestHash: null,
      ttlMs: 60_000,
      exposure: 'declared',
      metadata: null,
    },
  ]);
  if (answer === undefined || answer instanceof Error) throw answer ?? new Error('no answer');
  return answer;
}

async function fill(view: FastView): Promise<FastGrant[]> {
  const grants: FastGrant[] = [];
  for (;;) {
    const answer = await ask(view);
    if (answer.kind !== 'granted') {
      expect(answer).toMatchObject({ kind: 'refused', code: 'NONCE_BACKPRESSURE' });
      return grants;
    }
    grants.push(...answer.grants);
  }
}

it('a full stream refuses grants and loses nothing; a caller that may flush it goes on at once', async () => {
  const view = await opened();
  const grants = await fill(view);
  expect(grants).toHaveLength(STREAM_MAX);

  const node = bench.worker('node');
  expect(await node.flush.flushNow(fast.shardOf(view.submitter))).toBe(STREAM_MAX);

  expect(await ask(view)).toMatchObject({ kind: 'granted' });
  const rows = await bench.rows(view.submitter);
  expect(rows.map(({ id, stage }) => ({ id, stage }))).toEqual(
    grants.map(({ id }) => ({ id, stage: 'GRANTED' })),
  );
});

it('a flush lets Redis forget settled grants, and only those', async () => {
  const view = await opened();
  const [sent, held] = await fill(view);
  const words = { note: null, ttlMs: 60_000, followable: true };
  await fast.settle([
    { word: 'submitted', view, id: sent!.id, nonce: sent!.nonce, txHash: hashOf(1), ...words },
  ]);
  await bench.worker('node').flush.flushNow(fast.shardOf(view.submitter));

  const [first, second] = await fast.look([
    { view, id: sent!.id, nonce: sent!.nonce },
    { view, id: held!.id, nonce: held!.nonce },
  ]);
  expect(first).toEqual({ kind: 'unknown' });
  expect(second).toMatchObject({ kind: 'same' });
  expect(await bench.rows(view.submitter)).toMatchObject([
    { stage: 'BROADCAST', hashes: [hashOf(1)] },
    { stage: 'GRANTED' },
    {},
    {},
    {},
  ]);
});
