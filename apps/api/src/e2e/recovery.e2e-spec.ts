import { API_SCOPES } from '@noncekit/nonce-core';
import { openTestDatabase, type TestDatabase } from '@noncekit/test-support/test-database';
import { openTestRedis, type TestRedis } from '@noncekit/test-support/test-redis';
import { ApiServer } from '../api-server';
import { readApiEnvironment } from '../config/env.schema';
import { environmentFor, keyMaker, request, type Answer, type Call } from './support/api-fixture';
import { newSubmitter } from './support/new-submitter';
import { expectProblem } from './support/problem';

let database: TestDatabase;
let redis: TestRedis;
let server: ApiServer;
let key: string;
const submitter = newSubmitter();

/** An api on a database that has issued nonces, and for whose present run nobody vouches. */
beforeAll(async () => {
  database = await openTestDatabase();
  redis = await openTestRedis();
  await database.pool.query(
    `SELECT open_submitter($1, 'reliable', 0, 3, NULL, NULL, NULL, 1000, 'hold')`,
    [submitter],
  );
  await database.pool.query('ALTER TABLE server_continuity DISABLE TRIGGER USER');
  await database.pool.query('DELETE FROM server_continuity');
  key = await keyMaker(database)('everything', API_SCOPES);
  server = await ApiServer.start(
    readApiEnvironment({
      ...environmentFor(database),
      NONCE_REDIS_URL: redis.url,
      NONCE_REDIS_KEY_PREFIX: redis.prefix,
      NONCE_INITIAL_MODE: 'PERFORMANCE',
    }),
  );
});
afterAll(async () => {
  await server.stop(5_000);
  await redis.close();
  await database.close();
});

function call(path: string, options: Call = {}): Promise<Answer> {
  return request(server.addresses.publicUrl + path, options, key);
}

const allocate = () => call(`/v1/submitters/${submitter}/allocations`, { body: {} });

describe('a database for which nobody vouches (H-10)', () => {
  it('is told as held, and issues nothing', async () => {
    expectProblem(await allocate(), 'NONCE_RECOVERY_HOLD', 503);
    const { body } = await call('/v1/ops/recovery');
    expect(body).toMatchObject({ status: 'held', total: 0, items: [] });
  });

  it('is confirmed only with a reason and the scope for it', async () => {
    const path = '/v1/ops/recovery/confirm';
    expectProblem(await call(path, { body: {} }), 'NONCE_VALIDATION', 400);
    const reader = await keyMaker(database)('reader', ['ops:read']);
    const answer = await call(path, { body: { reason: 'mine' }, key: reader });
    expectProblem(answer, 'NONCE_FORBIDDEN', 403);
    expect((await call('/v1/ops/recovery')).body).toMatchObject({ status: 'held' });
  });

  it('is used once an operator vouches for it, and the audit says who', async () => {
    const body = { reason: 'compared with the chain', intact: true };
    const answer = await call('/v1/ops/recovery/confirm', { body });
    expect([answer.status, answer.body]).toEqual([
      200,
      expect.objectContaining({ status: 'trusted' }),
    ]);
    expect((await allocate()).status).toBe(201);
    const { rows } = await database.pool.query(
      `SELECT actor, reason FROM audit WHERE action = 'recovery.confirm'`,
    );
    expect(rows).toEqual([{ actor: 'everything', reason: body.reason }]);
  });
});
