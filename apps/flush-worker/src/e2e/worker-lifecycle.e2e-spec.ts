import { resolve } from 'node:path';
import { NodeProcess } from '@noncekit/test-support/node-process';
import { openStore, type StoreFixture } from '@noncekit/test-support/store-fixture';
import { startTestChain, type TestChain } from '@noncekit/test-support/test-chain';
import { waitFor } from '@noncekit/test-support/wait-for';
import { Wallet } from './support/wallet';
import { environmentOf, WorkerProcess } from './support/worker-process';

const MAIN = resolve(__dirname, '../main.ts');

let store: StoreFixture;
let chain: TestChain;
beforeAll(async () => {
  [store, chain] = await Promise.all([openStore(), startTestChain({ noMining: true })]);
});
afterAll(async () => {
  await Promise.all([store.close(), chain.close()]);
});

it('SIGTERM ends it cleanly, with exit code 0 and all connections closed', async () => {
  const connections = async (): Promise<number> => {
    const { rows } = await store.database.pool.query<{ count: string }>(
      'SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()',
    );
    return Number(rows[0]?.count);
  };
  const before = await connections();
  const worker = await WorkerProcess.start(store.database, chain);
  expect(await connections()).toBeGreaterThan(before);
  expect(await worker.process.stop()).toEqual({ exitCode: 0, signal: null });
  const describe = 'its connections to be gone';
  await waitFor(async () => (await connections()) <= before, { describe });
});

it('SIGTERM ends it cleanly while the chain does not answer', async () => {
  const worker = await WorkerProcess.start(store.database, chain, {
    NONCE_SHUTDOWN_DEADLINE_MS: '1000',
  });
  const wallet = await Wallet.open(store, chain, 8);
  chain.server.pause();
  try {
    await wallet.abandonedIntent();
    expect(await worker.process.stop()).toEqual({ exitCode: 0, signal: null });
  } finally {
    chain.server.resume();
  }
});

it('L5: after kill -9 another worker carries on with the same rows', async () => {
  const wallet = await Wallet.open(store, chain, 1);
  const first = await WorkerProcess.start(store.database, chain);
  const { nonce } = await wallet.abandonedIntent();
  await wallet.reaches(nonce, ['BROADCAST']);
  await first.process.kill();
  await chain.mine();
  const second = await WorkerProcess.start(store.database, chain);
  try {
    await wallet.reaches(nonce, ['MINED']);
  } finally {
    await second.process.stop();
  }
});

it('two workers share the work: each step of each nonce is done once', async () => {
  const wallet = await Wallet.open(store, chain, 2);
  const workers = await Promise.all([
    WorkerProcess.start(store.database, chain),
    WorkerProcess.start(store.database, chain),
  ]);
  try {
    const allocations = await wallet.grant(30);
    for (const allocation of allocations) {
      await wallet.tell(allocation, 'intent', await wallet.sign(allocation.nonce));
    }
    for (const { nonce } of allocations) await wallet.reaches(nonce, ['BROADCAST']);
    await chain.mine();
    for (const { nonce } of allocations) await wallet.reaches(nonce, ['MINED']);
    const sum = async (containing: string): Promise<number> => {
      const counts = workers.map((one) => one.metric('nonce_transitions_total', containing));
      return (await Promise.all(counts)).reduce((total, count) => total + count, 0);
    };
    expect(await sum('from="INTENT",to="BROADCAST"')).toBe(30);
    expect(await sum('from="BROADCAST",to="MINED"')).toBe(30);
  } finally {
    await Promise.all(workers.map((one) => one.process.stop()));
  }
});

it('refuses a wrong environment with every problem at once, and no stack', async () => {
  const process = NodeProcess.start(MAIN, {
    environment: {
      ...environmentOf(store.database, chain),
      NONCE_DATABASE_URL: 'mysql://nowhere',
      NONCE_RECLAIM_INTERVAL_MS: '1e3',
    },
  });
  expect(await process.ended).toEqual({ exitCode: 1, signal: null });
  expect(process.output).toContain('NONCE_DATABASE_URL');
  expect(process.output).toContain('NONCE_RECLAIM_INTERVAL_MS');
  expect(process.output).not.toContain('    at ');
});

it('refuses a database without its schema, and says what to run', async () => {
  const process = NodeProcess.start(MAIN, {
    environment: { ...environmentOf(store.database, null), NONCE_DATABASE_SCHEMA: 'elsewhere' },
  });
  expect(await process.ended).toEqual({ exitCode: 1, signal: null });
  expect(process.output).toContain('NONCE_SCHEMA_BEHIND');
  expect(process.output).toContain('npm run migrate');
});
