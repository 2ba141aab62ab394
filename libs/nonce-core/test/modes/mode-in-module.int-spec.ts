import { NestFactory } from '@nestjs/core';
import type { INestApplicationContext } from '@nestjs/common';
import { NonceComponent } from '../../src/module/nonce-component';
import { NonceModule } from '../../src/module/nonce.module';
import type { NonceModuleOptions } from '../../src/module/options';
import { MODE_SOURCE, MODE_STORE } from '../../src/module/tokens';
import type { ModeSource } from '../../src/ports/mode-source.port';
import type { ModeStore } from '../../src/ports/mode-store.port';
import { NonceEngineManager } from '../../src/routing/engine-manager';
import { newSubmitter } from '../support/store-fixture';
import { openTestDatabase, type TestDatabase } from '../support/test-database';
import { openTestRedis, type TestRedis } from '../support/test-redis';
import { waitFor } from '../support/wait-for';

let database: TestDatabase;
let redis: TestRedis;
const apps: INestApplicationContext[] = [];
beforeEach(async () => {
  [database, redis] = await Promise.all([openTestDatabase(), openTestRedis()]);
});
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
  await Promise.all([database.close(), redis.close()]);
});

async function start(
  mode: NonceModuleOptions['mode'],
  logged: string[] = [],
): Promise<INestApplicationContext> {
  const log = (message: string) => void logged.push(message);
  const options: NonceModuleOptions = {
    database: { url: database.url, schema: database.schema, poolSize: 4 },
    redis: { client: redis.client, keyPrefix: redis.prefix },
    logger: { debug: () => undefined, info: log, warn: log, error: log },
    ...(mode === undefined ? {} : { mode }),
  };
  const quiet = { logger: false, abortOnError: false } as const;
  const app = await NestFactory.createApplicationContext(NonceModule.forRoot(options), quiet);
  apps.push(app);
  return app;
}

it('the configured mode counts on the first boot only, and a later one is told how to switch', async () => {
  const [quiet, told]: [string[], string[]] = [[], []];
  await start('RELIABLE', quiet);
  const second = await start('PERFORMANCE', told);
  const about = /another mode is in force/;
  expect(quiet.some((line) => about.test(line))).toBe(false);
  expect(told.some((line) => about.test(line))).toBe(true);
  expect(await second.get(NonceEngineManager).mode()).toMatchObject({ mode: 'RELIABLE', epoch: 1 });
  const [allocation] = await second.get(NonceComponent).allocate(newSubmitter());
  expect(allocation?.engine).toBe('reliable');
});

it('sizes of prefetched ranges are live on every node within a second', async () => {
  const nodes = [await start('PERFORMANCE'), await start('PERFORMANCE')];
  const store = nodes[0]!.get<ModeStore>(MODE_STORE);
  await store.tunePrefetch({ size: 7, lowWater: 2, max: 7 }, 'test', 'asked by a test');
  const tuned = (node: INestApplicationContext) =>
    node.get<ModeSource>(MODE_SOURCE).current().prefetch?.size === 7;
  await waitFor(async () => nodes.every(tuned), { describe: 'the sizes', timeoutMs: 1_000 });
  for (const node of nodes) {
    const submitter = newSubmitter();
    await node.get(NonceComponent).allocate(submitter);
    const { rows } = await database.pool.query<{ fetched: string }>(
      'SELECT ceiling - base AS fetched FROM submitter_nonce_state WHERE submitter = $1',
      [submitter],
    );
    expect(rows[0]?.fetched).toBe('7');
  }
});

it('a switch by the manager of one process is followed by all of them', async () => {
  const [one, other] = [await start('PERFORMANCE'), await start('PERFORMANCE')];
  const submitter = newSubmitter();
  const [held] = await other.get(NonceComponent).allocate(submitter);
  const manager = one.get(NonceEngineManager);
  const order = { to: 'RELIABLE', reason: 'asked by a test', actor: 'test' } as const;
  const { switch: made } = await manager.switchTo(order);
  expect(made).toMatchObject({ from: 'PERFORMANCE', to: 'RELIABLE', epoch: 2 });
  const store = one.get<ModeStore>(MODE_STORE);
  await waitFor(async () => (await store.history(1))[0]?.state === 'done', {
    describe: 'the phases of the switch to end',
  });
  const [next] = await other.get(NonceComponent).allocate(submitter);
  expect(next).toMatchObject({ nonce: 1, engine: 'reliable' });
  const used = await other.get(NonceComponent).markUsed(held!);
  expect(used).toMatchObject({ nonce: 0, status: 'USED' });
});
