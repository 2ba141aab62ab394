import { Redis } from 'ioredis';
import { RedisServer } from '../../../../tools/src/stack/index';
import { isNonceError } from '../../src/domain/errors/nonce-error';
import type { Submitter } from '../../src/domain/submitter';
import { hashOf, newSubmitter } from '../support/store-fixture';
import { openTestDatabase, type TestDatabase } from '../support/test-database';
import { waitFor } from '../support/wait-for';
import { openModeHost, type ModeHost } from './mode-host';

/** Nonces that Postgres gives while Redis is away. */
const GIVEN = 5;

let server: RedisServer;
let database: TestDatabase;
let client: Redis;
let host: ModeHost;
let submitter: Submitter;
beforeEach(async () => {
  [server, database] = await Promise.all([RedisServer.start(), openTestDatabase()]);
  client = new Redis(server.url, { retryStrategy: () => 50 });
  client.on('error', () => undefined);
  const redis = { client, prefix: 'pinned' };
  host = await openModeHost(database, redis, {
    mode: 'RELIABLE',
    modes: { waitMs: 500 },
    degrade: { probeIntervalMs: 100, returnAfterMs: 300 },
  });
  submitter = newSubmitter();
  await take('reliable');
  await pin('PERFORMANCE');
  await take('performance');
});
afterEach(async () => {
  server.resume();
  await host.close();
  client.disconnect();
  await Promise.all([server.stop(), database.close()]);
});

async function pin(mode: 'PERFORMANCE' | null): Promise<void> {
  expect(await host.store.pin(submitter, mode, 'ops')).toBe(true);
  const engine = mode === null ? 'reliable' : 'performance';
  await waitFor(() => host.mode.engineFor(submitter) === engine, {
    describe: 'the pin is seen',
  });
}

/** One nonce that becomes a transaction. */
async function take(engine: string): Promise<number> {
  const [granted] = await host.nonces.allocate(submitter);
  expect(granted).toMatchObject({ engine });
  await host.nonces.intent(granted!, { txHash: hashOf(granted!.nonce + 1) });
  return granted!.nonce;
}

const FAILURES = [
  ['killed', () => server.kill(), () => server.restart()],
  [
    'stopped',
    () => {
      server.pause();
      return Promise.resolve();
    },
    () => {
      server.resume();
      return Promise.resolve();
    },
  ],
] as const;

it.each(FAILURES)(
  'S1, L1, L11: one pinned to PERFORMANCE in RELIABLE is refused while Redis is %s, the others and one without its pin are served',
  async (_, fail, mend) => {
    await fail();
    await expect(host.nonces.allocate(submitter)).rejects.toMatchObject({
      code: 'NONCE_STORE_UNAVAILABLE',
    });
    const [other] = await host.nonces.allocate(newSubmitter());
    expect(other).toMatchObject({ engine: 'reliable' });
    await pin(null);
    const given: number[] = [];
    while (given.length < GIVEN) given.push(await take('reliable'));
    expect(given).toEqual([2, 3, 4, 5, 6]);
    await mend();
    await pin('PERFORMANCE');
    const refusals: unknown[] = [];
    const next = await waitFor(
      () =>
        take('performance').catch((error: unknown) => {
          refusals.push(isNonceError(error) ? error.code : error);
          return false as const;
        }),
      { describe: 'Redis serves the pinned submitter again' },
    );
    expect(next).toBe(7);
    // A Redis that was only silent still has its epoch, which nobody asks for any more.
    expect(refusals.filter((each) => each !== 'NONCE_STORE_UNAVAILABLE')).toEqual([]);
    expect(await host.store.history(5)).toEqual([]);
  },
);
