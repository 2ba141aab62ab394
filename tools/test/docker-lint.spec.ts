import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lintDocker } from '../src/docker-lint/lint-docker';
import { knownNames } from '../src/docker-lint/known-names';
import { WORKSPACE_ROOT } from '../src/workspace/workspace-root';
import { WorkspaceCopy } from './workspace-copy';

const row = (name: string, secret = false) =>
  ({ name, secret, aliases: [], kind: 'text', unit: null, default: null, reason: '' }) as const;
const ROWS = [
  row('NONCE_DATABASE_URL', true),
  ...['NONCE_REDIS_URL', 'NONCE_API_KEYS_FILE', 'PORT', 'NONCE_ADMIN_PORT'].map((name) =>
    row(name),
  ),
  ...['NONCE_INITIAL_MODE', 'NONCE_WITNESS_DIR', 'NONCE_CHAINS', 'NONCE_DEFAULT_CHAIN_ID'].map(
    (name) => row(name),
  ),
  row('NONCE_CHAIN_<id>_RPC_URLS'),
  row('NONCE_CHAIN_<id>_CONFIRMATIONS'),
];
const KNOWS = knownNames(
  new Map([
    ['api', ROWS],
    ['flush-worker', ROWS],
  ]),
);

const API = 'docker/api.Dockerfile';
const COMPOSE = 'docker/compose.yaml';

/** A file, what stands in it, what a mistake makes of that, and what must be said about it. */
const MISTAKES: readonly (readonly [string, string, string, string])[] = [
  [API, 'FROM manifests AS build', 'FROM manifest AS build', 'FROM manifest is neither'],
  [API, 'FROM node:20-slim AS runtime', 'FROM node:latest AS runtime', 'name a version'],
  [API, '--from=packages', '--from=package', 'COPY --from=package: there is no such stage'],
  [API, 'COPY libs libs', 'COPY lib libs', 'COPY lib: the repository has no such path'],
  [API, '/app/apps/api/dist', '/app/apps/apy/dist', 'COPY apps/apy: the repository has no such'],
  [API, 'USER node\nEXPOSE', 'EXPOSE', 'stage runtime runs as root'],
  [API, 'USER node\nCMD', 'USER root\nCMD', 'stage migrate runs as root'],
  [API, 'CMD ["node", "apps/api/dist/main.js"]', 'CMD node main.js', 'write CMD as'],
  [API, '"apps/api/dist/main.js"', '"apps/api/dist/server.js"', 'built from nothing'],
  [API, '/readyz', '/ready', 'no HEALTHCHECK of /readyz'],
  [API, 'STOPSIGNAL SIGTERM', 'STOPSIGNAL SIGKILL', 'does not state STOPSIGNAL SIGTERM'],
  [API, 'WORKDIR /app', 'WORKDR /app', 'Unknown instruction: WORKDR'],
  [COMPOSE, 'target: migrate', 'target: migrations', 'has no stage migrations'],
  [COMPOSE, 'docker/api.Dockerfile', 'docker/ap.Dockerfile', 'there is no docker/ap.Dockerfile'],
  [COMPOSE, './postgres/roles.sql', './postgres/role.sql', 'there is no ./postgres/role.sql'],
  [COMPOSE, '[./chains.env]', '[./chain.env]', 'there is no ./chain.env'],
  [COMPOSE, "'3000:3000'", "'3000:3001'", 'publishes 3001, which the image does not expose'],
  [COMPOSE, 'NONCE_REDIS_URL', 'NONCE_REDIS_URI', 'dist/main.js does not read NONCE_REDIS_URI'],
  [COMPOSE, '/run/secrets/api_keys', '/run/secrets/keys', 'names /run/secrets/keys, which is not'],
  [COMPOSE, 'secrets: [app_database_url]', 'secrets: [app_url]', 'secret app_url is not declared'],
  [COMPOSE, 'redis-files:/data', 'redis:/data', 'volume redis is not declared'],
  [COMPOSE, 'postgres: { condition', 'database: { condition', 'database, which is no service'],
  [COMPOSE, 'healthcheck:', 'healthchek:', 'unknown key healthchek'],
  [COMPOSE, 'image: postgres:18', 'image: postgres', 'image postgres names no version'],
  [COMPOSE, '- noeviction', '- allkeys-lru', 'redis runs without noeviction'],
  [COMPOSE, 'volumes:\n  postgres', 'volumes:\n  other:\n  postgres', 'other is mounted nowhere'],
  [COMPOSE, 'name: noncekit', 'name: noncekit\nname: again', 'Map keys must be unique'],
  ['docker/chains.env', 'NONCE_CHAINS=\n', 'NONCE_CHIANS=\n', 'does not read NONCE_CHIANS'],
];

describe('the Docker lint', () => {
  const workspace = new WorkspaceCopy();
  const original = (file: string) => readFileSync(join(WORKSPACE_ROOT, file), 'utf8');
  const messages = () =>
    lintDocker(workspace.root, KNOWS).map(({ file, message }) => `${file}: ${message}`);

  beforeAll(() => {
    cpSync(join(WORKSPACE_ROOT, 'docker'), join(workspace.root, 'docker'), { recursive: true });
    workspace.write('package-lock.json', '{}');
    workspace.write('.npmrc', '');
    const programs = ['apps/api/src/main', 'apps/flush-worker/src/main', 'tools/src/migrate/main'];
    for (const program of programs) workspace.write(`${program}.ts`, '');
  });
  afterAll(() => {
    workspace.remove();
  });

  it('accepts the files that are shipped', () => {
    expect(messages()).toEqual([]);
  });

  it.each(MISTAKES)('in %s, catches %j turned into %j', (file, right, wrong, expected) => {
    expect(original(file)).toContain(right);
    workspace.write(file, original(file).replace(right, wrong));
    const found = messages();
    workspace.write(file, original(file));
    expect(found.filter((message) => message.includes(expected))).not.toEqual([]);
  });
});
