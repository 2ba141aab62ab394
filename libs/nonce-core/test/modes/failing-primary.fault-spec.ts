import { Cluster } from 'ioredis';
import { RedisCluster } from '../../../../tools/src/stack/index';
import { openTestDatabase, type TestDatabase } from '../support/test-database';
import { waitFor } from '../support/wait-for';
import { openModeHost, type ModeHost } from './mode-host';
import { SteadyLoad } from './steady-load';

/** So many that every primary serves some of them. */
const CALLERS = 12;
const DEGRADE = { probeIntervalMs: 100, returnAfterMs: 500 };

let cluster: RedisCluster;
let database: TestDatabase;
let client: Cluster;
let host: ModeHost;
let load: SteadyLoad | undefined;
beforeAll(async () => {
  [cluster, database] = await Promise.all([
    RedisCluster.start({ primaries: 3 }),
    openTestDatabase(),
  ]);
  client = new Cluster([...cluster.startupNodes], { clusterRetryStrategy: () => 50 });
  client.on('error', () => undefined);
  const redis = { client, prefix: 'failing-primary' };
  host = await openModeHost(database, redis, { mode: 'PERFORMANCE', degrade: DEGRADE });
});
afterAll(async () => {
  await load?.stop();
  await host.close();
  client.disconnect();
  await Promise.all([cluster.stop(), database.close()]);
});

it('S1, S8, L1, L11: one dead primary of a Cluster has Postgres serve all, and Redis again later', async () => {
  const running = (load = new SteadyLoad(host.nonces, CALLERS));
  await waitFor(() => running.served > 200 || running.failures.length > 0, {
    describe: 'Redis serves',
  });
  expect(running.failures).toEqual([]);
  await cluster.nodes[1]!.kill();
  await waitFor(() => host.mode.current().mode === 'DEGRADED', {
    describe: 'DEGRADED',
    everyMs: 5,
  });
  const reached = running.nonces.map((taken) => taken.length);
  await waitFor(() => running.nonces.every((taken, i) => taken.length > reached[i]! + 1), {
    describe: 'Postgres serves every submitter',
    everyMs: 5,
  });
  await cluster.nodes[1]!.restart();
  await waitFor(() => host.mode.current().mode === 'PERFORMANCE', {
    describe: 'the Cluster is trusted again',
    timeoutMs: 15_000,
  });
  const before = running.served;
  await waitFor(() => running.served > before + 200, { describe: 'Redis serves again' });
  const [last] = await host.nonces.allocate(running.submitters[0]!);
  expect(last).toMatchObject({ engine: 'performance' });
  await running.stop();
  expect(running.failures).toEqual([]);
  for (const taken of running.nonces) expect(new Set(taken).size).toBe(taken.length);
  const switches = (await host.store.history(5)).map(({ to, automatic }) => [to, automatic]);
  expect(switches).toEqual([
    ['PERFORMANCE', true],
    ['DEGRADED', true],
  ]);
});
