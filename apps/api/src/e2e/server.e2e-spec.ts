import { startTestPostgres } from '@noncekit/test-support/test-database';
import { waitFor } from '@noncekit/test-support/wait-for';
import { openTestRedis } from '@noncekit/test-support/test-redis';
import { ApiServer } from '../api-server';
import { readApiEnvironment } from '../config/env.schema';
import { startApi, type ApiFixture } from './support/api-fixture';
import { newSubmitter } from './support/new-submitter';
import { expectProblem } from './support/problem';

describe('a running server', () => {
  let api: ApiFixture;
  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api.close());

  const admin = (path: string): Promise<Response> => fetch(api.server.addresses.adminUrl + path);

  it('takes over a usable request id and makes one otherwise', async () => {
    const given = await api.call('/v1/submitters', { headers: { 'x-request-id': 'abc-1' } });
    expect(given.headers.get('x-request-id')).toBe('abc-1');
    const bad = await api.call('/v1/submitters', { headers: { 'x-request-id': 'a b' } });
    expect(bad.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    const problem = await api.call('/nowhere', { headers: { 'x-request-id': 'abc-2' } });
    expect(problem.body).toMatchObject({ requestId: 'abc-2' });
  });

  it('answers probes, metrics and version on the admin port, without a key', async () => {
    expect((await admin('/livez')).status).toBe(200);
    expect((await admin('/readyz')).status).toBe(200);
    const health = await admin('/health');
    expect(health.status).toBe(200);
    expect(await health.json()).toMatchObject({ status: 'ok', details: expect.any(Object) });
    expect(await (await admin('/version')).json()).toMatchObject({
      name: '@noncekit/api',
      version: expect.any(String),
    });
    await api.call(`/v1/submitters/${newSubmitter()}/allocations`, { body: {} });
    const metrics = await admin('/metrics');
    expect(metrics.headers.get('content-type')).toContain('text/plain');
    expect(await metrics.text()).toMatch(/nonce_allocations_total\{[^}]*engine="reliable"/);
    expect((await admin('/v1/submitters')).status).toBe(404);
  });

  it('does not serve the admin routes on the public port', async () => {
    for (const path of ['/livez', '/readyz', '/health', '/metrics', '/version']) {
      expectProblem(await api.call(path), 'NONCE_NOT_FOUND', 404);
    }
  });

  it('never shows what went wrong inside', async () => {
    const submitter = newSubmitter();
    await api.call(`/v1/submitters/${submitter}/allocations`, { body: {} });
    await api.database.pool.query('ALTER TABLE audit RENAME TO audit_away');
    const answer = await api.call(`/v1/submitters/${submitter}/pause`, { body: { reason: 'x' } });
    await api.database.pool.query('ALTER TABLE audit_away RENAME TO audit');
    expectProblem(answer, 'NONCE_INTERNAL', 500);
    expect(JSON.stringify(answer.body)).not.toMatch(/audit|relation|select|insert/i);
    expect(answer.body).toMatchObject({ context: {}, errors: [] });
  });
});

it('says 503 with Retry-After while Postgres is away, and goes on when it is back', async () => {
  const postgres = await startTestPostgres();
  const server = await ApiServer.start(
    readApiEnvironment({
      NONCE_DATABASE_URL: postgres.url,
      NONCE_DATABASE_SCHEMA: postgres.schema,
      NONCE_AUTH_MODE: 'none',
      HOST: '127.0.0.1',
      PORT: '0',
      NONCE_ADMIN_PORT: '0',
      LOG_LEVEL: 'silent',
    }),
  );
  const { publicUrl, adminUrl } = server.addresses;
  const allocate = (): Promise<Response> =>
    fetch(`${publicUrl}/v1/submitters/${newSubmitter()}/allocations`, { method: 'POST' });
  try {
    expect((await allocate()).status).toBe(201);
    await postgres.server.kill();
    const refused = await allocate();
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({
      code: 'NONCE_STORE_UNAVAILABLE',
      retryable: true,
    });
    expect((await fetch(`${adminUrl}/readyz`)).status).toBe(503);
    expect((await fetch(`${adminUrl}/livez`)).status).toBe(200);
    await postgres.server.restart();
    await waitFor(async () => (await allocate()).status === 201, { describe: 'allocating again' });
    expect((await fetch(`${adminUrl}/readyz`)).status).toBe(200);
  } finally {
    await server.stop(5_000);
    await postgres.server.stop();
  }
});

it('shows Redis in its health where one is configured, and serves without it', async () => {
  const redis = await openTestRedis();
  const api = await startApi({ NONCE_REDIS_URL: redis.url, NONCE_REDIS_KEY_PREFIX: redis.prefix });
  try {
    await waitFor(
      async () => {
        const health = await fetch(`${api.server.addresses.adminUrl}/health`);
        return JSON.stringify(await health.json()).includes('"redis":{"status":"up"');
      },
      { describe: 'Redis to be up' },
    );
    const made = await api.call(`/v1/submitters/${newSubmitter()}/allocations`, { body: {} });
    expect(made.status).toBe(201);
  } finally {
    await api.close();
    await redis.close();
  }
});
