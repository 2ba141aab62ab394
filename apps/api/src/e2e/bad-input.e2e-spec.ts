import { randomUUID } from 'node:crypto';
import { API_SCOPES, type ErrorCode } from '@noncekit/nonce-core';
import { RouteTable } from '../http/route-table';
import { startApi, type Answer, type ApiFixture, type Call } from './support/api-fixture';
import { expectProblem } from './support/problem';
import {
  BAD_IDS,
  BAD_NONCES,
  BAD_SUBMITTERS,
  ROUTE_CASES,
  type RouteCase,
} from './support/route-cases';
import { snapshotOf } from './support/snapshot';

const KNOWN = `eip155:31337:0x${'1'.repeat(40)}`;
const UNKNOWN = `eip155:31337:0x${'2'.repeat(40)}`;
const MEGABYTE = JSON.stringify({ metadata: { text: 'x'.repeat(1_000_000) } });

let api: ApiFixture;
let id = '';
let before = '';

const nameOf = (route: RouteCase): string => `${route.method} ${route.path}`;
const withBody = ROUTE_CASES.filter((route) => route.body !== undefined);
const having = (part: string): RouteCase[] => ROUTE_CASES.filter((r) => r.path.includes(part));

function pathOf(route: RouteCase, parts: Readonly<Record<string, string>> = {}): string {
  const values: Record<string, string> = {
    ...{ submitter: KNOWN, id, n: '0', switchId: '1' },
    ...parts,
  };
  return route.path.replaceAll(/:(\w+)/g, (_, name: string) => values[name] ?? '');
}

function send(route: RouteCase, call: Call = {}, parts?: Record<string, string>): Promise<Answer> {
  const body = route.body === undefined ? {} : { body: route.body };
  return api.call(pathOf(route, parts), { method: route.method, ...body, ...call });
}

async function expectRefused(answer: Answer, code: ErrorCode, status: number): Promise<void> {
  expectProblem(answer, code, status);
  expect(await snapshotOf(api.database)).toBe(before);
}

beforeAll(async () => {
  api = await startApi();
  const made = await api.call(`/v1/submitters/${KNOWN}/allocations`, { body: { count: 2 } });
  expect(made.status).toBe(201);
  id = (made.body as { items: { id: string }[] }).items[0]?.id ?? '';
  before = await snapshotOf(api.database);
});
afterAll(() => api.close());

it('covers every route that is served, so that a new one cannot be forgotten', () => {
  const served = api.server.app.get(RouteTable).all;
  const operations = served
    .filter((route) => route.path.startsWith('/v1/') && route.method !== 'HEAD')
    .map((route) => `${route.method} ${route.path}`);
  expect(operations.sort()).toEqual(ROUTE_CASES.map(nameOf).sort());
});

describe.each(ROUTE_CASES.map((route) => [nameOf(route), route] as const))('%s', (_, route) => {
  it.each([
    ['no key', {}],
    ['an unknown key', { authorization: `Bearer ${'k'.repeat(32)}` }],
    ['another scheme', { authorization: 'Basic abc' }],
    ['an empty key', { authorization: 'Bearer ' }],
    ['a key of 10 KB', { authorization: `Bearer ${'k'.repeat(10_000)}` }],
  ])('refuses %s', async (__, headers) => {
    const answer = await send(route, { key: null, headers });
    await expectRefused(answer, 'NONCE_UNAUTHENTICATED', 401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  it('refuses a key without its scope', async () => {
    const others = API_SCOPES.filter((scope) => scope !== route.scope);
    const key = await api.createKey(`without ${nameOf(route)}`, others);
    before = await snapshotOf(api.database);
    const answer = await send(route, { key });
    await expectRefused(answer, 'NONCE_FORBIDDEN', 403);
    expect(answer.body).toMatchObject({ context: { scope: route.scope } });
  });

  it('refuses another method and names the right ones', async () => {
    const answer = await send(route, { method: 'DELETE' });
    await expectRefused(answer, 'NONCE_NOT_FOUND', 405);
    expect(answer.headers.get('allow')).toContain(route.method);
  });

  for (const query of route.badQueries ?? []) {
    it(`refuses ?${query}`, async () => {
      const answer = await api.call(`${pathOf(route)}?${query}`);
      await expectRefused(answer, 'NONCE_VALIDATION', 400);
    });
  }
});

describe.each(having(':submitter').map((route) => [nameOf(route), route] as const))(
  '%s',
  (_, route) => {
    it.each(BAD_SUBMITTERS)('refuses the submitter %s', async (submitter) => {
      await expectRefused(await send(route, {}, { submitter }), 'NONCE_VALIDATION', 400);
    });

    it('refuses a bare address, because no default chain is set', async () => {
      const submitter = `0x${'1'.repeat(40)}`;
      await expectRefused(await send(route, {}, { submitter }), 'NONCE_VALIDATION', 400);
    });

    // An allocation is what makes a submitter known; everywhere else an unknown one is an error.
    if (!route.path.endsWith('/allocations')) {
      it('refuses a submitter that was never used', async () => {
        const answer = await send(route, {}, { submitter: UNKNOWN });
        await expectRefused(answer, 'NONCE_SUBMITTER_UNKNOWN', 404);
      });
    }
  },
);

describe.each(having(':id').map((route) => [nameOf(route), route] as const))('%s', (_, route) => {
  it.each(BAD_IDS)('refuses the id %s', async (bad) => {
    await expectRefused(await send(route, {}, { id: bad }), 'NONCE_VALIDATION', 400);
  });

  it('refuses an id that nobody has', async () => {
    const answer = await send(route, {}, { id: randomUUID() });
    const ofAllocation = route.path.startsWith('/v1/allocations/');
    await expectRefused(answer, ofAllocation ? 'NONCE_ALLOCATION_UNKNOWN' : 'NONCE_NOT_FOUND', 404);
  });
});

describe.each(having(':n').map((route) => [nameOf(route), route] as const))('%s', (_, route) => {
  if (!route.path.endsWith(':n')) return;
  it.each(BAD_NONCES)('refuses the nonce %s', async (n) => {
    await expectRefused(await send(route, {}, { n }), 'NONCE_VALIDATION', 400);
  });

  it('refuses a nonce that was never issued', async () => {
    await expectRefused(await send(route, {}, { n: '77' }), 'NONCE_ALLOCATION_UNKNOWN', 404);
  });
});

describe.each(withBody.map((route) => [nameOf(route), route] as const))('%s', (_, route) => {
  it.each([
    ['malformed JSON', '{"count":'],
    ['an array', '[]'],
    ['null', 'null'],
    ['a number', '1'],
    ['a body that is not UTF-8 text of an object', '"\\ud800"'],
    ['a polluting field', '{"__proto__":{"count":1}}'],
  ])('refuses %s', async (__, body) => {
    await expectRefused(await send(route, { body }), 'NONCE_VALIDATION', 400);
  });

  it('refuses a field it does not know', async () => {
    const answer = await send(route, { body: { ...route.body, surprise: 1 } });
    await expectRefused(answer, 'NONCE_VALIDATION', 400);
    expect(answer.body).toMatchObject({ errors: [{ pointer: '/surprise' }] });
  });

  it('refuses a body of 1 MB', async () => {
    await expectRefused(await send(route, { body: MEGABYTE }), 'NONCE_VALIDATION', 413);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data'])(
    'refuses a body of %s',
    async (type) => {
      const answer = await send(route, { headers: { 'content-type': type } });
      await expectRefused(answer, 'NONCE_VALIDATION', 415);
    },
  );

  for (const [field, value] of Object.entries(route.body ?? {})) {
    if (typeof value !== 'number') continue;
    it(`refuses ${field} written as 1e3`, async () => {
      const text = JSON.stringify({ ...route.body, [field]: 'NUMBER' }).replace('"NUMBER"', '1e3');
      const answer = await send(route, { body: text });
      await expectRefused(answer, 'NONCE_VALIDATION', 400);
      expect(answer.body).toMatchObject({ errors: [{ pointer: `/${field}` }] });
    });
  }

  for (const [field, values] of Object.entries(route.badFields ?? {})) {
    const named = values.map((value) => [
      value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 40),
      value,
    ]);
    it.each(named)(`refuses ${field} = %s`, async (_name, value) => {
      const answer = await send(route, { body: { ...route.body, [field]: value } });
      await expectRefused(answer, 'NONCE_VALIDATION', 400);
      expect(answer.body).toMatchObject({
        errors: [{ pointer: expect.stringMatching(`^/${field}`) }],
      });
    });
  }
});

it.each([...BAD_IDS.slice(1), '0', '-1', '1e3', '9007199254740991'])(
  'GET /v1/ops/mode/switches/:switchId refuses the id %s',
  async (switchId) => {
    const answer = await api.call(`/v1/ops/mode/switches/${switchId}`);
    await expectRefused(answer, 'NONCE_VALIDATION', 400);
  },
);

it.each([[undefined], ['*'], ['1'], ['W/"1"'], ['"1", "2"'], ['"x"'], ['"999"']])(
  'PUT /v1/ops/mode refuses If-Match %s and names the mode in force',
  async (tag) => {
    const answer = await api.call('/v1/ops/mode', {
      method: 'PUT',
      body: { mode: 'DUAL_WRITE', reason: 'a test' },
      headers: tag === undefined ? {} : { 'if-match': tag },
    });
    await expectRefused(answer, 'NONCE_PRECONDITION', 412);
    expect(answer.body).toMatchObject({ context: { mode: 'RELIABLE', epoch: 1 } });
  },
);

describe('outside the routes', () => {
  it.each(['/', '/v1', '/v2/submitters', '/v1/submitters/', '/errors/NONCE_NOPE', '/admin'])(
    'answers %s with NONCE_NOT_FOUND',
    async (path) => {
      await expectRefused(await api.call(path), 'NONCE_NOT_FOUND', 404);
    },
  );

  it('answers an address that cannot be decoded with NONCE_VALIDATION', async () => {
    await expectRefused(await api.call('/v1/submitters/%E0%A4%A'), 'NONCE_VALIDATION', 400);
  });

  it.each([
    ['of 201 characters', 'x'.repeat(201)],
    ['with control characters', 'a\tb'],
    ['that differs from operationId', 'other'],
  ])('refuses an Idempotency-Key %s', async (_, key) => {
    const answer = await api.call(`/v1/submitters/${KNOWN}/allocations`, {
      body: { operationId: 'op' },
      headers: { 'idempotency-key': key },
    });
    await expectRefused(answer, 'NONCE_VALIDATION', 400);
  });

  it('refuses a range that is upside down', async () => {
    const answer = await api.call(`/v1/submitters/${KNOWN}/nonces?from=5&to=4`);
    await expectRefused(answer, 'NONCE_VALIDATION', 400);
  });
});
