import { ERROR_CATALOGUE } from '@noncekit/nonce-core';
import { RouteTable } from '../http/route-table';
import { startApi, type ApiFixture } from './support/api-fixture';
import { expectProblem } from './support/problem';

interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, unknown>>;
}
interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

let api: ApiFixture;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const open = (path: string, accept = '*/*') => api.call(path, { key: null, headers: { accept } });

describe('/openapi.json', () => {
  it('describes exactly the routes that are served', async () => {
    const document = (await open('/openapi.json')).body as OpenApi;
    expect(document.openapi).toMatch(/^3\./);
    const described = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const served = api.server.app
      .get(RouteTable)
      .all.filter((route) => route.method !== 'HEAD' && /^\/(v1|errors)\//.test(route.path + '/'))
      .map((route) => `${route.method} ${route.path.replaceAll(/:(\w+)/g, '{$1}')}`);
    expect(described.sort()).toEqual(served.sort());
  });

  it('names every operation once and its problems always', async () => {
    const document = (await open('/openapi.json')).body as OpenApi;
    const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
    const names = operations.map((operation) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
    for (const operation of operations) expect(operation.responses).toHaveProperty('default');
  });

  it('has no reference that leads nowhere', async () => {
    const text = JSON.stringify((await open('/openapi.json')).body);
    const document = JSON.parse(text) as { components: { schemas: Record<string, unknown> } };
    const names = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map((found) => found[1]);
    expect(names.length).toBeGreaterThan(20);
    for (const name of names) expect(document.components.schemas).toHaveProperty(name ?? '');
  });
});

it('serves the documentation for browsers without a key', async () => {
  const page = await open('/docs', 'text/html');
  expect(page.status).toBe(200);
  expect(page.body).toContain('swagger-ui');
  expect((await open('/docs/swagger-ui.css')).status).toBe(200);
});

describe('/errors', () => {
  it.each(Object.keys(ERROR_CATALOGUE))('explains %s to programs and to people', async (code) => {
    const entry = await open(`/errors/${code}`);
    expect(entry.status).toBe(200);
    expect(entry.body).toEqual({
      code,
      ...ERROR_CATALOGUE[code as keyof typeof ERROR_CATALOGUE],
    });
    const page = await open(`/errors/${code}`, 'text/html,*/*');
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(page.body).toContain(`<code>${code}</code>`);
  });

  it('is where the type of a problem leads', async () => {
    const problem = await open('/v1/submitters');
    expectProblem(problem, 'NONCE_UNAUTHENTICATED', 401);
    const page = await fetch((problem.body as { type: string }).type);
    expect(await page.json()).toMatchObject({ code: 'NONCE_UNAUTHENTICATED' });
  });
});
