import { randomBytes } from 'node:crypto';
import { API_SCOPES, type ApiScope } from '@noncekit/nonce-core';
import { openTestDatabase, type TestDatabase } from '@noncekit/test-support/test-database';
import { ApiServer } from '../../api-server';
import { readApiEnvironment } from '../../config/env.schema';
import { digestOfKey } from '../../http/authenticator';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed when it is JSON, else text. */
  readonly body: unknown;
}

export interface Call {
  readonly method?: string;
  /** Sent as JSON, or as it is when it is text. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** null sends no key; the default has every scope. */
  readonly key?: string | null;
}

/** One running API on a database of its own. */
export interface ApiFixture {
  readonly server: ApiServer;
  readonly database: TestDatabase;
  call(path: string, call?: Call): Promise<Answer>;
  /** A new key with these scopes only. */
  createKey(name: string, scopes: readonly ApiScope[]): Promise<string>;
  close(): Promise<void>;
}

export async function startApi(
  settings: Readonly<Record<string, string>> = {},
): Promise<ApiFixture> {
  const database = await openTestDatabase();
  const server = await ApiServer.start(
    readApiEnvironment({ ...environmentFor(database), ...settings }),
  );
  const createKey = keyMaker(database);
  const everything = await createKey('all-scopes', API_SCOPES);
  return {
    server,
    database,
    createKey,
    call: (path, call = {}) => request(server.addresses.publicUrl + path, call, everything),
    async close() {
      await server.stop(5_000);
      await database.close();
    },
  };
}

/** Everything a process of this API needs; both ports are any free ones. */
export function environmentFor(database: TestDatabase): Record<string, string> {
  return {
    NONCE_DATABASE_URL: database.url,
    NONCE_DATABASE_SCHEMA: database.schema,
    HOST: '127.0.0.1',
    PORT: '0',
    NONCE_ADMIN_PORT: '0',
    LOG_LEVEL: 'silent',
  };
}

/** Writes the digest as an operator's tool would, so that no path of the API is needed for it. */
export function keyMaker(database: TestDatabase): ApiFixture['createKey'] {
  return async (name, scopes) => {
    const key = randomBytes(24).toString('base64url');
    await database.pool.query('INSERT INTO api_key (name, digest, scopes) VALUES ($1, $2, $3)', [
      name,
      digestOfKey(key),
      scopes,
    ]);
    return key;
  };
}

export async function request(url: string, call: Call, defaultKey: string): Promise<Answer> {
  const key = call.key === undefined ? defaultKey : call.key;
  const sent = call.body === undefined ? {} : { body: textOf(call.body) };
  const response = await fetch(url, {
    method: call.method ?? (call.body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...call.headers,
    },
    ...sent,
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  return {
    status: response.status,
    headers: response.headers,
    body: isJson ? (JSON.parse(text) as unknown) : text,
  };
}

function textOf(body: unknown): string {
  return typeof body === 'string' ? body : JSON.stringify(body);
}
