import { Redis } from 'ioredis';
import { RedisServer } from '../../../../tools/src/stack/index';
import { isNonceError } from '../../src/domain/errors/nonce-error';
import { newSubmitter } from '../support/store-fixture';
import { openTestDatabase, type TestDatabase } from '../support/test-database';
import { waitFor } from '../support/wait-for';
import { openModeHost, type ModeHost } from './mode-host';

const DEGRADE = { onRedisFailure: false, probeIntervalMs: 100, returnAfterMs: 300 };

let server: RedisServer;
let database: TestDatabase;
let client: Redis;
let host: ModeHost;
beforeEach(async () => {
  [server, database] = await Promise.all([RedisServer.start(), openTestDatabase()]);
  client = new Redis(server.url, { retryStrategy: () => 50 });
  client.on('error', () => undefined);
  const redis = { client, prefix: 'no-degrading' };
  host = await openModeHost(database, redis, { mode: 'PERFORMANCE', degrade: DEGRADE });
});
afterEach(async () => {
  await host.close();
  client.disconnect();
  await Promise.all([server.stop(), database.close()]);
});

it('S1, L11: with degrading off a killed Redis refuses, the mode stays, and Redis serves once it is back', async () => {
  const submitter = newSubmitter();
  const [held] = await host.nonces.allocate(submitter);
  expect(held).toMatchObject({ nonce: 0, engine: 'performance' });
  await host.nonces.markUsed(held!);
  await server.kill();
  const refusals = await Promise.allSettled(
    Array.from({ length: 5 }, () => host.nonces.allocate(submitter)),
  );
  for (const refusal of refusals) {
    expect(refusal).toMatchObject({
      status: 'rejected',
      reason: { code: 'NONCE_STORE_UNAVAILABLE', context: { store: 'redis' } },
    });
  }
  // Longer than a degradation takes, and asked again and again.
  const later = performance.now() + 1_500;
  await waitFor(
    async () => {
      await expect(host.nonces.allocate(submitter)).rejects.toMatchObject({
        code: 'NONCE_STORE_UNAVAILABLE',
      });
      return performance.now() > later;
    },
    { describe: 'nothing but refusals for a while' },
  );
  expect(await host.store.read()).toMatchObject({ mode: 'PERFORMANCE', epoch: 1 });
  expect(await host.store.history(5)).toEqual([]);
  await server.restart();
  const next = await waitFor(
    async () => {
      try {
        return (await host.nonces.allocate(submitter))[0];
      } catch (error) {
        if (isNonceError(error, 'NONCE_STORE_UNAVAILABLE')) return false;
        throw error;
      }
    },
    { describe: 'Redis serves again' },
  );
  // What Redis may have granted before it died is in nobody's hands.
  expect(next).toMatchObject({ nonce: 1, engine: 'performance' });
  expect(await host.store.read()).toMatchObject({ mode: 'PERFORMANCE', epoch: 1 });
  expect(await host.store.history(5)).toEqual([]);
});
