import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { SchedulerRegistry } from '@nestjs/schedule';
import type { Registry } from 'prom-client';
import { FlushOverview } from '../../src/flush/flush-overview';
import { FlushDrain } from '../../src/module/fast/flush-drain';
import { NonceComponent } from '../../src/module/nonce-component';
import { NonceHealthIndicator } from '../../src/module/nonce-health-indicator';
import { NonceModule } from '../../src/module/nonce.module';
import type { NonceModuleOptions } from '../../src/module/options';
import { METRICS_REGISTRY } from '../../src/module/tokens';
import { NonceTrackingModule } from '../../src/module/tracking/nonce-tracking.module';
import { newSubmitter } from '../support/store-fixture';
import { openTestDatabase, type TestDatabase } from '../support/test-database';
import { openTestRedis, type TestRedis } from '../support/test-redis';
import { waitFor } from '../support/wait-for';

const QUIET = { logger: false, abortOnError: false } as const;
const INTERVALS = { reclaimIntervalMs: 100, reconcileIntervalMs: 1_000 };

let database: TestDatabase;
let redis: TestRedis;
beforeAll(async () => {
  [database, redis] = await Promise.all([openTestDatabase(), openTestRedis()]);
});
afterAll(() => Promise.all([database.close(), redis.close()]));

const optionsOf = (own: Partial<NonceModuleOptions> = {}): NonceModuleOptions => ({
  database: { url: database.url, schema: database.schema, poolSize: 4 },
  mode: 'PERFORMANCE',
  redis: { client: redis.client, keyPrefix: redis.prefix },
  logger: { debug: noop, info: noop, warn: noop, error: noop },
  ...own,
});

function noop(): void {
  // The tests assert on what is stored; the log is for people.
}

async function within<T>(
  options: NonceModuleOptions,
  use: (app: INestApplicationContext) => Promise<T>,
): Promise<T> {
  const app = await NestFactory.createApplicationContext(NonceModule.forRoot(options), QUIET);
  try {
    return await use(app);
  } finally {
    await app.close();
  }
}

describe('a host in the performance mode', () => {
  it('runs handlers on nonces of Redis, and gives back what failed before sending', async () => {
    await within(optionsOf(), async (app) => {
      const nonces = app.get(NonceComponent);
      const submitter = newSubmitter();
      const failing = nonces.withNonce(submitter, (ctx) => {
        throw new Error(`refused by the compliance check, nonce ${ctx.nonce}`);
      });
      await expect(failing).rejects.toThrow('refused by the compliance check');
      const done = await nonces.execute(submitter, async (ctx) => ctx.nonce);
      expect(done).toMatchObject({ value: 0, source: 'recycled', stage: 'ASSERTED' });
      const { engine } = await nonces.inspect(submitter);
      expect(engine).toBe('performance');
    });
  });

  it('needs a Redis, and says where it is given', async () => {
    const options = optionsOf({ redis: { keyPrefix: redis.prefix } });
    await expect(within(options, async () => undefined)).rejects.toMatchObject({
      code: 'NONCE_CONFIG_INVALID',
      errors: [{ pointer: '/redis/client' }],
    });
  });

  it('keeps to windows that its code gives to single submitters', async () => {
    const submitter = newSubmitter();
    @Module({
      imports: [
        NonceModule.forRoot(optionsOf()),
        NonceModule.forFeature([{ name: 'narrow', submitter, maxInFlight: 2 }]),
      ],
    })
    class HostModule {}
    const app = await NestFactory.createApplicationContext(HostModule, QUIET);
    try {
      const nonces = app.get(NonceComponent);
      await nonces.allocate(submitter, { count: 2 });
      await expect(nonces.allocate(submitter)).rejects.toMatchObject({
        code: 'NONCE_IN_FLIGHT_LIMIT',
      });
    } finally {
      await app.close();
    }
  });

  it('registers its upkeep with the scheduler of the application, and ends it', async () => {
    const app = await NestFactory.createApplicationContext(NonceModule.forRoot(optionsOf()), QUIET);
    const registry = app.get(SchedulerRegistry, { strict: false });
    expect(registry.getIntervals()).toEqual(
      expect.arrayContaining([
        'noncekit continuity',
        'noncekit fast-load',
        'noncekit fast-reclaim',
        'noncekit fast-idle-close',
      ]),
    );
    await app.close();
    expect(registry.getIntervals()).toEqual([]);
  });

  it('shares one scheduler with a second module of the same application', async () => {
    @Module({
      imports: [
        NonceModule.forRootAsync({ global: false, useFactory: () => optionsOf() }),
        NonceModule.forRootAsync({
          global: false,
          useFactory: () =>
            optionsOf({ redis: { client: redis.client, keyPrefix: `${redis.prefix}-2` } }),
        }),
      ],
    })
    class HostModule {}
    const app = await NestFactory.createApplicationContext(HostModule, QUIET);
    const intervals = app.get(SchedulerRegistry, { strict: false }).getIntervals();
    expect(intervals.filter((name) => name.startsWith('noncekit continuity'))).toHaveLength(2);
    await app.close();
  });
});

it('a worker that was configured for another first mode flushes what others issued, and shows the one in force', async () => {
  const submitter = newSubmitter();
  // Open until the end: a process that ends flushes by itself.
  const issuing = await NestFactory.createApplicationContext(
    NonceModule.forRoot(optionsOf()),
    QUIET,
  );
  const [allocation] = await issuing.get(NonceComponent).allocate(submitter);
  @Module({
    imports: [
      NonceModule.forRoot(optionsOf({ mode: 'RELIABLE', flush: { intervalMs: 20 } })),
      NonceTrackingModule.forRoot(INTERVALS),
    ],
  })
  class WorkerModule {}
  const worker = await NestFactory.createApplicationContext(WorkerModule, QUIET);
  try {
    await waitFor(
      async () => {
        const { rowCount } = await database.pool.query(
          'SELECT 1 FROM submitter_nonce_allocation WHERE id = $1',
          [allocation!.id],
        );
        return rowCount === 1;
      },
      { describe: 'the grant to become a row' },
    );
    const overview = worker.get(FlushOverview);
    await waitFor(async () => (await overview.status()).lastSuccessAt !== null, {
      describe: 'the success to be noted',
    });
    expect(await worker.get(NonceHealthIndicator).check('nonce')).toMatchObject({
      nonce: {
        status: 'up',
        mode: 'PERFORMANCE',
        redis: { status: 'up' },
        flush: { queued: 0, workers: 1, lastFailureAt: null },
        continuity: { status: 'trusted' },
      },
    });
    const metrics = await worker.get<Registry>(METRICS_REGISTRY).metrics();
    expect(metrics).toContain('nonce_mode_info{mode="PERFORMANCE"} 1');
    expect(metrics).toMatch(/nonce_flush_records_total\{result="applied"\} [1-9]/);
  } finally {
    await worker.close();
    await issuing.close();
  }
  const { rows } = await database.pool.query<{ worker: string }>(
    'SELECT worker FROM flush_shard WHERE worker IS NOT NULL',
  );
  expect(rows).toEqual([]);
});

it('a process that ends brings what it granted to Postgres itself', async () => {
  const submitter = newSubmitter();
  const granted = await within(optionsOf(), (app) =>
    app.get(NonceComponent).allocate(submitter, { count: 20 }),
  );
  const { rowCount } = await database.pool.query(
    'SELECT 1 FROM submitter_nonce_allocation WHERE id = ANY($1)',
    [granted.map(({ id }) => id)],
  );
  expect(rowCount).toBe(20);
});

it('a drain on order flushes on this node, and does nothing where there is no Redis', async () => {
  const submitter = newSubmitter();
  await within(optionsOf(), async (app) => {
    await app.get(NonceComponent).allocate(submitter);
    const overview = app.get(FlushOverview);
    expect((await overview.queue()).queued).toBeGreaterThan(0);
    app.get(FlushDrain).start();
    app.get(FlushDrain).start();
    await waitFor(async () => (await overview.queue()).queued === 0, {
      describe: 'the queue to be empty',
    });
  });
  await within(optionsOf({ mode: 'RELIABLE', redis: { enabled: false } }), async (app) => {
    app.get(FlushDrain).start();
    expect(await app.get(FlushOverview).queue()).toEqual({
      shards: [],
      queued: 0,
      oldestEventAgeMs: null,
    });
    const health = await app.get(NonceHealthIndicator).check('nonce');
    expect(health['nonce']).not.toHaveProperty('flush');
  });
});
