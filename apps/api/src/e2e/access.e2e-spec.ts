import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MetadataScanner, ModulesContainer, Reflector } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host';
import { API_SCOPES } from '@noncekit/nonce-core';
import { ApiKeyGuard } from '../http/api-key.guard';
import { Authenticator } from '../http/authenticator';
import { PUBLIC_ROUTE, REQUIRED_SCOPE } from '../http/scopes';
import { startApi, type ApiFixture } from './support/api-fixture';
import { newSubmitter } from './support/new-submitter';
import { expectProblem } from './support/problem';
import { snapshotOf } from './support/snapshot';

describe('scopes', () => {
  let api: ApiFixture;
  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api.close());

  it('are declared by every handler of every controller, or it says that it is public', () => {
    const reflector = new Reflector();
    const undecided: string[] = [];
    let handlers = 0;
    for (const module of api.server.app.get(ModulesContainer).values()) {
      for (const { metatype } of module.controllers.values()) {
        const prototype = metatype?.prototype as Record<string, () => unknown> | undefined;
        if (metatype === null || prototype === undefined) continue;
        for (const name of new MetadataScanner().getAllMethodNames(prototype)) {
          const handler = prototype[name];
          if (handler === undefined || !Reflect.hasMetadata('method', handler)) continue;
          handlers += 1;
          const places = [handler, metatype];
          const scope = reflector.getAllAndOverride<unknown>(REQUIRED_SCOPE, places);
          const isPublic = reflector.getAllAndOverride<unknown>(PUBLIC_ROUTE, places) === true;
          const known = (API_SCOPES as readonly unknown[]).includes(scope);
          if (known === isPublic) undecided.push(`${metatype.name}.${name}`);
        }
      }
    }
    expect(undecided).toEqual([]);
    expect(handlers).toBeGreaterThanOrEqual(18);
  });

  it('let each key do what it is for and nothing else', async () => {
    const submitter = newSubmitter();
    const path = `/v1/submitters/${submitter}`;
    const reader = await api.createKey('reader', ['nonce:read']);
    const allocator = await api.createKey('allocator', ['nonce:allocate']);
    const made = await api.call(`${path}/allocations`, { body: {}, key: allocator });
    expect(made.status).toBe(201);
    expect((await api.call(path, { key: reader })).status).toBe(200);
    expectProblem(await api.call(path, { key: allocator }), 'NONCE_FORBIDDEN', 403);
    const refused = await api.call(`${path}/allocations`, { body: {}, key: reader });
    expectProblem(refused, 'NONCE_FORBIDDEN', 403);
  });

  it('end for a revoked key', async () => {
    const key = await api.createKey('short-lived', ['nonce:read']);
    await api.database.pool.query(`UPDATE api_key SET revoked_at = now() WHERE name = $1`, [
      'short-lived',
    ]);
    expectProblem(await api.call('/v1/submitters', { key }), 'NONCE_UNAUTHENTICATED', 401);
  });

  it('keep digests only: no key is in the database', async () => {
    const key = await api.createKey('secret', ['nonce:read']);
    const { rows } = await api.database.pool.query('SELECT * FROM api_key');
    expect(JSON.stringify(rows)).not.toContain(key);
  });
});

it('a handler that declares nothing is refused even without authentication', async () => {
  const store = { findKey: () => Promise.resolve(null), saveKey: unused, audit: unused };
  const guard = new ApiKeyGuard(new Reflector(), new Authenticator(store, 'none'));
  class Undeclared {
    handle(): void {
      return undefined;
    }
  }
  const context = new ExecutionContextHost(
    [{ headers: {} }],
    Undeclared,
    Undeclared.prototype.handle,
  );
  await expect(guard.canActivate(context)).rejects.toMatchObject({ code: 'NONCE_FORBIDDEN' });
});

it('none lets everybody in, and the audit names nobody', async () => {
  const api = await startApi({ NONCE_AUTH_MODE: 'none' });
  try {
    const submitter = newSubmitter();
    const call = { body: { reason: 'x' }, key: null };
    expect(
      (await api.call(`/v1/submitters/${submitter}/allocations`, { body: {}, key: null })).status,
    ).toBe(201);
    expect((await api.call(`/v1/submitters/${submitter}/pause`, call)).status).toBe(200);
    const { rows } = await api.database.pool.query('SELECT actor FROM audit');
    expect(rows).toEqual([{ actor: 'anonymous' }]);
  } finally {
    await api.close();
  }
});

it('keys of the file work from the start, and starting again changes nothing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'noncekit-keys-'));
  const file = join(folder, 'keys');
  const key = 'k'.repeat(32);
  writeFileSync(file, `# for the demo\ndemo:nonce:read,nonce:allocate:${key}\n`);
  const api = await startApi({ NONCE_API_KEYS_FILE: file });
  try {
    expect((await api.call('/v1/submitters', { key })).status).toBe(200);
    const before = await snapshotOf(api.database);
    const again = await startApi({
      NONCE_API_KEYS_FILE: file,
      NONCE_DATABASE_URL: api.database.url,
    });
    await again.close();
    expect(await snapshotOf(api.database)).toBe(before);
  } finally {
    await api.close();
    rmSync(folder, { recursive: true });
  }
});

function unused(): never {
  throw new Error('not used here');
}
