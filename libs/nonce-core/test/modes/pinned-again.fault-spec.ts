import { Redis } from 'ioredis';
import { RedisServer } from '../../../../tools/src/stack/index';
import type { Allocation } from '../../src/domain/allocation';
import { newSubmitter } from '../support/store-fixture';
import { openTestDatabase, type TestDatabase } from '../support/test-database';
import { waitFor } from '../support/wait-for';
import { openModeHost, type ModeHost } from './mode-host';

const QUARANTINE_MS = 500;
const LONG_TTL_MS = 60_000;

let server: RedisServer;
let database: TestDatabase;
let clients: Redis[] = [];
let hosts: ModeHost[] = [];

beforeAll(async () => {
  [server, database] = await Promise.all([RedisServer.start(), openTestDatabase()]);
  clients = [0, 1].map(() => new Redis(server.url, { retryStrategy: () => 50 }));
  for (const client of clients) client.on('error', () => undefined);
  hosts = await Promise.all(clients.map((client) => open(client)));
});
afterAll(async () => {
  await Promise.all(hosts.map((host) => host.close()));
  for (const client of clients) client.disconnect();
  await Promise.all([server.stop(), database.close()]);
});

function open(client: Redis): Promise<ModeHost> {
  return openModeHost(
    database,
    { client, prefix: 'again' },
    {
      mode: 'RELIABLE',
      modes: { waitMs: 500 },
      performance: { intents: 'relaxed' },
      quarantine: { ms: QUARANTINE_MS, release: 'replacement' },
      degrade: { probeIntervalMs: 100, returnAfterMs: 300 },
    },
  );
}

it('S1, S8: relaxed: an epoch that ended while Redis was silent issues nothing when the submitter is pinned again', async () => {
  const submitter = newSubmitter();
  const [first, second] = hosts;
  if (first === undefined || second === undefined) throw new Error('two hosts are needed');
  const pin = async (mode: 'PERFORMANCE' | null): Promise<void> => {
    await first.store.pin(submitter, mode, 'ops');
    const engine = mode === null ? 'reliable' : 'performance';
    await waitFor(() => hosts.every((host) => host.mode.engineFor(submitter) === engine), {
      describe: 'both hosts to know the pin',
    });
  };
  const held: Allocation[] = [];
  const take = async (host: ModeHost): Promise<Allocation | undefined> => {
    const [grant] = await host.nonces
      .allocate(submitter, { ttlMs: LONG_TTL_MS })
      .catch(() => [] as Allocation[]);
    if (grant !== undefined) held.push(grant);
    return grant;
  };

  expect(await take(first)).toMatchObject({ nonce: 0, engine: 'reliable' });
  await pin('PERFORMANCE');
  expect(await take(first)).toMatchObject({ nonce: 1, engine: 'performance' });
  server.pause();
  // From now on nothing is sent to it that it would still hear when it is back.
  expect(await take(first)).toBeUndefined();
  await pin(null);
  expect(await take(first)).toMatchObject({ engine: 'reliable' });
  const closed = held.at(-1)?.epoch ?? 0;
  server.resume();
  await pin('PERFORMANCE');
  await waitFor(async () => (await take(first))?.engine === 'performance', {
    describe: 'Redis to issue again',
  });
  for (let i = 0; i < 4; i += 1) await take(first);
  const later = held.filter(({ engine, nonce }) => engine === 'performance' && nonce > 1);
  expect(later.map(({ epoch }) => epoch > closed)).toEqual(later.map(() => true));
  const fresh = held.filter(({ source }) => source !== 'replacement');
  expect(new Set(fresh.map(({ nonce }) => nonce)).size).toBe(fresh.length);
}, 40_000);
