import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IsInt, Max } from 'class-validator';
import { NonceError } from '../../src/domain/errors/nonce-error';
import { environmentReference } from '../../src/module/environment/environment-reference';
import { loadEnvironment } from '../../src/module/environment/load-environment';
import { NonceEnvironment } from '../../src/module/environment/nonce-environment';
import { FromEnvironment } from '../../src/module/environment/setting';
import { toNonceOptions } from '../../src/module/environment/to-nonce-options';
import { OPTION_DEFAULTS } from '../../src/module/option-defaults';
import { resolveOptions } from '../../src/module/resolve-options';

const DATABASE = { NONCE_DATABASE_URL: 'postgres://app@db/nonces' };

function problemsOf(load: () => unknown): readonly string[] {
  try {
    load();
  } catch (error) {
    expect(error).toBeInstanceOf(NonceError);
    expect((error as NonceError).code).toBe('NONCE_CONFIG_INVALID');
    return (error as NonceError).errors.map(({ pointer, detail }) => `${pointer} ${detail}`);
  }
  return [];
}

class AppEnvironment extends NonceEnvironment {
  @FromEnvironment({ name: 'PORT', kind: 'integer', reason: 'Where it listens.' })
  @IsInt()
  @Max(65_535)
  port = 3_000;
}

describe('the environment', () => {
  const load = (
    source: Record<string, string>,
    warn: (message: string) => void = () => undefined,
  ) => loadEnvironment(AppEnvironment, source, warn);

  it('takes defaults for everything but the database', () => {
    const environment = load({ ...DATABASE });
    expect(environment).toMatchObject({ port: 3_000, maxInFlight: 64, chains: [] });
    expect(Object.isFrozen(environment)).toBe(true);
  });

  it('reports every problem at once, by the name of the variable and without its value', () => {
    const problems = problemsOf(() =>
      load({
        NONCE_DATABASE_URL: 'mysql://user:hunter2@db',
        NONCE_ALLOCATION_TTL_MS: '1e3',
        NONCE_REDIS_ENABLED: 'maybe',
        PORT: '70000',
        NONCE_CHAINS: '1,31337',
        NONCE_CHAIN_31337_RPC_URLS: 'http://127.0.0.1:8545',
        NONCE_CHAIN_31337_CONFIRMATIONS: '-1',
      }),
    );
    const names = problems.map((problem) => problem.split(' ')[0]);
    expect(new Set(names)).toEqual(
      new Set([
        '/NONCE_DATABASE_URL',
        '/NONCE_ALLOCATION_TTL_MS',
        '/NONCE_REDIS_ENABLED',
        '/PORT',
        '/NONCE_CHAIN_1_RPC_URLS',
        '/NONCE_CHAIN_31337_CONFIRMATIONS',
      ]),
    );
    expect(problems.join()).not.toContain('hunter2');
  });

  it('reads a secret from the file that its _FILE variable names', () => {
    const folder = mkdtempSync(join(tmpdir(), 'nonce-environment-'));
    const file = join(folder, 'database-url');
    writeFileSync(file, 'postgres://app:secret@db/nonces\n');
    const environment = load({ NONCE_DATABASE_URL_FILE: file });
    expect(environment.databaseUrl).toBe('postgres://app:secret@db/nonces');
    rmSync(folder, { recursive: true });
    expect(problemsOf(() => load({ NONCE_DATABASE_URL_FILE: file }))).toEqual([
      `/NONCE_DATABASE_URL_FILE names a file that cannot be read: ${file}`,
    ]);
  });

  it('accepts DATABASE_URL and REDIS_URL where the prefixed names are absent', () => {
    const environment = load({
      DATABASE_URL: 'postgresql://db/a',
      REDIS_URL: 'redis://cache:6379',
    });
    expect(environment.databaseUrl).toBe('postgresql://db/a');
    expect(environment.redisUrl).toBe('redis://cache:6379');
  });

  it('warns of a name that nothing reads and suggests the nearest one', () => {
    const warnings: string[] = [];
    load({ ...DATABASE, NONCE_ALOCATION_TTL_MS: '5', NONCE_CHAIN_5_RPC_URLS: 'http://x' }, (text) =>
      warnings.push(text),
    );
    expect(warnings[0]).toContain('Did you mean NONCE_ALLOCATION_TTL_MS?');
    expect(warnings[1]).toContain('NONCE_CHAINS');
    expect(warnings).toHaveLength(2);
  });

  it('refuses two addresses of Redis and sentinels without the name of their primary', () => {
    const problems = problemsOf(() =>
      load({ ...DATABASE, REDIS_URL: 'redis://a', NONCE_REDIS_SENTINELS: 's1:26379' }),
    );
    expect(problems).toHaveLength(2);
  });

  it('refuses a mode that does not exist instead of ignoring it', () => {
    const problems = problemsOf(() => load({ ...DATABASE, NONCE_INITIAL_MODE: 'FAST' }));
    expect(problems.map((problem) => problem.split(' ')[0])).toEqual(['/NONCE_INITIAL_MODE']);
  });

  describe('of the performance mode', () => {
    const performance = { ...DATABASE, NONCE_INITIAL_MODE: 'PERFORMANCE' };

    it.each([
      ['nothing', {}],
      ['a Redis that is switched off', { REDIS_URL: 'redis://a', NONCE_REDIS_ENABLED: 'false' }],
    ])('is refused with %s to issue from, and says what to set', (_, redis) => {
      const problems = problemsOf(() => load({ ...performance, ...redis }));
      expect(problems).toHaveLength(1);
      expect(problems[0]).toContain('/NONCE_INITIAL_MODE');
      expect(problems[0]).toContain('NONCE_REDIS_URL');
    });

    it.each([
      { REDIS_URL: 'redis://a' },
      { NONCE_REDIS_CLUSTER_NODES: 'a:7000' },
      { NONCE_REDIS_SENTINELS: 'a:26379', NONCE_REDIS_SENTINEL_MASTER: 'main' },
    ])('takes any form of Redis: %p', (redis) => {
      expect(load({ ...performance, ...redis }).initialMode).toBe('PERFORMANCE');
    });

    it('becomes module options setting by setting', () => {
      const environment = load({
        ...performance,
        NONCE_REDIS_URL: 'redis://a',
        NONCE_REDIS_SHARDS: '7',
        NONCE_PERFORMANCE_STRATEGY: 'redis',
        NONCE_PERFORMANCE_INTENTS: 'relaxed',
        NONCE_PREFETCH_SIZE: '16',
        NONCE_PREFETCH_LOW_WATER: '3',
        NONCE_PREFETCH_MAX: '99',
        NONCE_PREFETCH_IDLE_CLOSE_MS: '2000',
        NONCE_FLUSH_BATCH_MAX: '11',
        NONCE_FLUSH_INTERVAL_MS: '20',
        NONCE_FLUSH_STREAM_MAX: '1234',
        NONCE_FLUSH_RETRIES: '1',
        NONCE_FLUSH_MAX_DELIVERIES: '9',
        NONCE_FLUSH_SYNC_WRITE_FALLBACK: 'true',
        NONCE_CONTINUITY_INTERVAL_MS: '700',
        NONCE_WITNESS_DIR: '/var/lib/witness',
      });
      const options = resolveOptions(toNonceOptions(environment));
      expect(options).toMatchObject({
        mode: 'PERFORMANCE',
        performance: {
          intents: 'relaxed',
          prefetch: { size: 16, lowWater: 3, max: 99, idleCloseMs: 2_000 },
        },
        redis: { shards: 7 },
        flush: {
          batchMax: 11,
          intervalMs: 20,
          streamMax: 1_234,
          retries: 1,
          maxDeliveries: 9,
          syncWriteFallback: true,
        },
        recovery: { continuityIntervalMs: 700, witnessDir: '/var/lib/witness' },
      });
    });

    it('refuses a low-water mark that is not below the size, and a size above the maximum', () => {
      const sizes = { NONCE_PREFETCH_LOW_WATER: '32', NONCE_PREFETCH_MAX: '31' };
      const names = problemsOf(() => load({ ...DATABASE, ...sizes })).map(
        (problem) => problem.split(' ')[0],
      );
      expect(names).toEqual(['/NONCE_PREFETCH_LOW_WATER', '/NONCE_PREFETCH_SIZE']);
    });

    it('refuses other strategies with the one there is', () => {
      const strategy = { ...DATABASE, NONCE_PERFORMANCE_STRATEGY: 'lease' };
      expect(problemsOf(() => load(strategy))[0]).toContain('must be redis');
    });
  });

  it('has the same defaults as the module', () => {
    const source = { ...DATABASE, NONCE_CHAINS: '7', NONCE_CHAIN_7_RPC_URLS: 'http://node:8545' };
    const fromEnvironment = resolveOptions(toNonceOptions(load(source)));
    const fromCode = resolveOptions({
      database: { url: DATABASE.NONCE_DATABASE_URL },
      chains: { 7: { rpcUrls: ['http://node:8545'] } },
    });
    expect(fromEnvironment).toEqual(fromCode);
    expect(fromCode.template.waitMs).toBe(OPTION_DEFAULTS.allocation.waitMs);
  });

  it('describes every variable with a reason, for the reference', () => {
    const rows = environmentReference(AppEnvironment);
    expect(rows.every((row) => row.reason.endsWith('.'))).toBe(true);
    expect(rows).toContainEqual(
      expect.objectContaining({ name: 'NONCE_LOCK_TTL_MS', unit: 'ms', default: '10000' }),
    );
    expect(rows.filter((row) => row.name.endsWith('_MS') && row.unit !== 'ms')).toEqual([]);
  });
});

describe('module options', () => {
  it('are refused with every problem at once', () => {
    const problems = problemsOf(() =>
      resolveOptions({
        database: { url: '', poolSize: 1 },
        mode: 'PERFORMANCE',
        performance: {
          strategy: 'segment',
          prefetch: { size: 0, lowWater: 5, max: 4, idleCloseMs: 1 },
        },
        redis: { enabled: false, shards: 0 },
        flush: { batchMax: 0, maxDeliveries: 0 },
        recovery: { continuityIntervalMs: 1, witnessDir: '' },
        allocation: { ttlMs: 5 },
        quarantine: { release: 'sell' as 'burn' },
        chains: { 1: { rpcUrls: [] } },
        ...{ prefetch: { size: 32 } },
      }),
    );
    expect(problems.map((problem) => problem.split(' ')[0])).toEqual([
      '/prefetch',
      '/database/url',
      '/database/poolSize',
      '/chains/1/rpcUrls',
      '/mode',
      '/redis/shards',
      '/performance/strategy',
      '/performance/prefetch/size',
      '/performance/prefetch/idleCloseMs',
      '/performance/prefetch/lowWater',
      '/flush/batchMax',
      '/flush/maxDeliveries',
      '/recovery/continuityIntervalMs',
      '/recovery/witnessDir',
      '/allocation/ttlMs',
      '/quarantine/release',
    ]);
  });
});
