import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { SchedulerRegistry } from '@nestjs/schedule';
import type { Registry } from 'prom-client';
import { parseSubmitter } from '../../src/domain/submitter';
import { NonceComponent } from '../../src/module/nonce-component';
import { NonceModule } from '../../src/module/nonce.module';
import type { NonceModuleOptions } from '../../src/module/options';
import { METRICS_REGISTRY, MIRROR_REPORT } from '../../src/module/tokens';
import { NonceTrackingModule } from '../../src/module/tracking/nonce-tracking.module';
import type { MirrorReport } from '../../src/ports/mirror.port';
import { FastKeys } from '../../src/redis/fast-keys';
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

function noop(): void {
  // The tests assert on what is stored; the log is for people.
}

const OPTIONS = (): NonceModuleOptions => ({
  database: { url: database.url, schema: database.schema, poolSize: 4 },
  mode: 'DUAL_WRITE',
  redis: { client: redis.client, keyPrefix: redis.prefix },
  logger: { debug: noop, info: noop, warn: noop, error: noop },
});

/** A process that issues and is a worker too. */
async function openHost(): Promise<INestApplicationContext> {
  @Module({ imports: [NonceModule.forRoot(OPTIONS()), NonceTrackingModule.forRoot(INTERVALS)] })
  class HostModule {}
  return NestFactory.createApplicationContext(HostModule, QUIET);
}

describe('a host in the dual-write mode', () => {
  it('issues from Postgres, mirrors to Redis, and its worker vouches for the mirror', async () => {
    const app = await openHost();
    try {
      const nonces = app.get(NonceComponent);
      const submitter = newSubmitter();
      const [held] = await nonces.allocate(submitter);
      expect(held).toMatchObject({ nonce: 0, engine: 'reliable' });
      const key = new FastKeys({ prefix: redis.prefix }).mirror(parseSubmitter(submitter));
      const mirrored = await waitFor(async () => (await redis.client.hget(key, '0')) ?? undefined, {
        describe: 'the grant to be mirrored',
      });
      expect(mirrored).toMatch(`:GRANTED:${held!.id}`);
      const report = app.get<MirrorReport>(MIRROR_REPORT, { strict: false });
      const standing = await waitFor(
        async () => {
          const now = await report.divergence();
          return now?.compared === 1 && now.inStep && now;
        },
        { describe: 'the mirror to be compared, and in step' },
      );
      expect(standing.divergences).toEqual([]);
      const scraped = await app.get<Registry>(METRICS_REGISTRY, { strict: false }).metrics();
      expect(scraped).toContain('nonce_mirror_in_step 1');
      expect(scraped).toContain('nonce_mirror_records_total{result="written"} 1');
      const registry = app.get(SchedulerRegistry, { strict: false });
      expect(registry.getIntervals()).toContain('noncekit mirror-compare');
    } finally {
      await app.close();
    }
  });
});
