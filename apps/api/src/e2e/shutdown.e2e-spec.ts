import { resolve } from 'node:path';
import { NodeProcess } from '@noncekit/test-support/node-process';
import { openTestDatabase, type TestDatabase } from '@noncekit/test-support/test-database';
import { waitFor } from '@noncekit/test-support/wait-for';
import { keccak256, type Hex } from 'viem';
import { environmentFor, request } from './support/api-fixture';
import { keyMaker } from './support/api-fixture';
import { newSubmitter } from './support/new-submitter';

const MAIN = resolve(__dirname, '../main.ts');

interface LogLine {
  readonly msg?: string;
  readonly level?: number;
}

let database: TestDatabase;
beforeEach(async () => {
  database = await openTestDatabase();
});
afterEach(() => database.close());

function start(settings: Readonly<Record<string, string>> = {}): NodeProcess<LogLine> {
  const environment = { ...environmentFor(database), LOG_LEVEL: 'info', ...settings };
  return NodeProcess.start<LogLine>(MAIN, { environment });
}

async function addressesOf(api: NodeProcess<LogLine>): Promise<{ url: string; adminUrl: string }> {
  const line = await api.message((log) => log.msg?.startsWith('listening') === true, 'its ports');
  const [url = '', adminUrl = ''] = line.msg?.match(/http:\S+?(?=,|$)/g) ?? [];
  return { url, adminUrl };
}

it('SIGTERM lets a running request finish, takes no new one, and ends with 0', async () => {
  const key = await keyMaker(database)('holder', ['nonce:allocate']);
  const api = start();
  const { url, adminUrl } = await addressesOf(api);
  const submitter = newSubmitter();
  const allocate = () =>
    request(`${url}/v1/submitters/${submitter}/allocations`, { body: {} }, key);
  expect((await allocate()).status).toBe(201);

  // Holding the state row keeps the next allocation inside the server until the row is let go.
  const holder = await database.pool.connect();
  await holder.query('BEGIN');
  await holder.query('SELECT 1 FROM submitter_nonce_state WHERE submitter = $1 FOR UPDATE', [
    submitter,
  ]);
  const running = allocate();
  await waitFor(
    async () => {
      const { rowCount } = await database.pool.query(
        `SELECT 1 FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      return rowCount !== 0;
    },
    { describe: 'the request to wait for the row', everyMs: 2 },
  );
  const ended = api.stop();
  await waitFor(async () => (await fetch(`${adminUrl}/readyz`)).status === 503, {
    describe: 'readiness to be withdrawn',
    everyMs: 2,
  });
  const late = await allocate();
  expect(late.status).toBe(503);
  expect(late.headers.get('connection')).toBe('close');
  expect(late.body).toMatchObject({ code: 'NONCE_BACKPRESSURE', retryable: true });
  await holder.query('COMMIT');
  holder.release();

  expect((await running).status).toBe(201);
  expect(await ended).toEqual({ exitCode: 0, signal: null });
});

it('writes neither keys nor signed bytes to its log', async () => {
  const key = await keyMaker(database)('holder', ['nonce:allocate']);
  const api = start({ LOG_LEVEL: 'trace' });
  const { url } = await addressesOf(api);
  const path = `/v1/submitters/${newSubmitter()}/allocations`;
  const headers = { 'x-request-id': 'traced-1' };
  const made = await request(url + path, { body: {}, headers }, key);
  const { items } = made.body as { items: { id: string }[] };
  const rawTx: Hex = `0x02${'5ec7e7'.repeat(30)}`;
  const intent = { txHash: keccak256(rawTx), rawTx };
  const answer = await request(
    `${url}/v1/allocations/${items[0]?.id}/intent`,
    { body: intent },
    key,
  );
  expect(answer.status).toBe(200);
  expect((await api.stop()).exitCode).toBe(0);
  const log = JSON.stringify(api.messages) + api.output;
  expect(log).toContain('traced-1');
  expect(log).not.toContain(key);
  expect(log).not.toContain('5ec7e7');
});

it('ends with 1 and readable text when the environment is wrong', async () => {
  const api = start({ PORT: 'many', NONCE_AUTH_MODE: 'maybe', NONCE_DATABSE_URL: 'x' });
  expect(await api.ended).toEqual({ exitCode: 1, signal: null });
  expect(api.output).toContain('NONCE_CONFIG_INVALID');
  expect(api.output).toMatch(/PORT .*integer/);
  expect(api.output).toMatch(/NONCE_AUTH_MODE .*api-key/);
  expect(api.output).not.toMatch(/\n\s+at /);
});
