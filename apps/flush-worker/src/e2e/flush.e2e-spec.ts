import type { Submitter } from '@noncekit/nonce-core/domain';
import { openFastFixture, type FastFixture } from '@noncekit/test-support/fast-fixture';
import { newSubmitter } from '@noncekit/test-support/store-fixture';
import { waitFor } from '@noncekit/test-support/wait-for';
import { WorkerProcess } from './support/worker-process';

const BLOCK = 256;
const BLOCKS = 6;

let stores: FastFixture;
beforeAll(async () => {
  stores = await openFastFixture({ engine: { intents: 'relaxed', maxInFlight: 0 } });
});
afterAll(() => stores.close());

function startWorker(overrides: Readonly<Record<string, string>> = {}): Promise<WorkerProcess> {
  return WorkerProcess.start(stores.database, null, {
    NONCE_REDIS_URL: stores.redis.url,
    NONCE_REDIS_KEY_PREFIX: stores.redis.prefix,
    NONCE_FLUSH_INTERVAL_MS: '20',
    ...overrides,
  });
}

/** Grants that only Redis knows of, each used at once. */
async function usedNonces(submitter: Submitter): Promise<ReadonlyMap<number, string>> {
  const engine = stores.node();
  const ids = new Map<number, string>();
  for (let block = 0; block < BLOCKS; block += 1) {
    const grant = await engine.allocate({
      submitter,
      count: BLOCK,
      ttlMs: 60_000,
      exposure: 'declared',
    });
    await Promise.all(grant.allocations.map((allocation) => engine.markUsed(allocation, {})));
    for (const { nonce, id } of grant.allocations) ids.set(nonce, id);
  }
  return ids;
}

async function rowsOf(submitter: Submitter) {
  const { rows } = await stores.database.pool.query<{ nonce: number; id: string; stage: string }>(
    `SELECT nonce::integer, id, stage FROM submitter_nonce_allocation
     WHERE submitter = $1 ORDER BY nonce`,
    [submitter],
  );
  return rows;
}

it('drains what Redis queued; killed with kill -9 in the middle, another worker ends it with no event lost', async () => {
  // No chain is configured for it: nothing but its events moves its rows.
  const submitter = newSubmitter(1);
  const ids = await usedNonces(submitter);
  expect(ids.size).toBe(BLOCK * BLOCKS);
  expect(await rowsOf(submitter)).toEqual([]);

  const first = await startWorker({ NONCE_FLUSH_BATCH_MAX: '10' });
  await waitFor(async () => (await rowsOf(submitter)).length > 0, {
    describe: 'the first worker to flush something',
    everyMs: 1,
  });
  await first.process.kill();
  const [shard] = [stores.fast.store.shardOf(submitter)];
  const [left] = await stores.fast.store.status([shard]);
  expect(left?.streamLength).toBeGreaterThan(0);

  const second = await startWorker();
  try {
    await waitFor(async () => (await stores.fast.store.status([shard]))[0]?.streamLength === 0, {
      describe: 'the second worker to finish',
      timeoutMs: 45_000,
    });
    const rows = await rowsOf(submitter);
    expect(rows).toEqual(
      [...ids].sort(([a], [b]) => a - b).map(([nonce, id]) => ({ nonce, id, stage: 'ASSERTED' })),
    );
    expect(await second.metric('nonce_flush_records_total', 'applied')).toBeGreaterThan(0);
  } finally {
    expect(await second.process.stop()).toEqual({ exitCode: 0, signal: null });
  }
}, 120_000);
