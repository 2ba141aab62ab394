import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import { NonceComponent } from '../../src/module/nonce-component';
import { NonceModule } from '../../src/module/nonce.module';
import { newSubmitter } from '../support/store-fixture';
import { openTestDatabase, type TestDatabase } from '../support/test-database';
import { openTestRedis, type TestRedis } from '../support/test-redis';
import { waitFor } from '../support/wait-for';

let database: TestDatabase;
let redis: TestRedis;
let folder: string;
beforeAll(async () => {
  [database, redis] = await Promise.all([openTestDatabase(), openTestRedis()]);
  folder = await mkdtemp(join(tmpdir(), 'witness-dir-'));
});
afterAll(async () => {
  await Promise.all([database.close(), redis.close()]);
  await rm(folder, { recursive: true, force: true });
});

/** Files of the folder that this process has open now. */
async function openFiles(): Promise<readonly string[]> {
  const descriptors = await readdir('/proc/self/fd');
  const paths = descriptors.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''));
  return (await Promise.all(paths)).filter((path) => path.startsWith(folder));
}

function silent(): void {
  // The tests assert on files; the log is for people.
}

it('a host keeps its witnesses in one open file, and closes it when it ends', async () => {
  const options = {
    database: { url: database.url, schema: database.schema, poolSize: 4 },
    redis: { client: redis.client, keyPrefix: redis.prefix },
    recovery: { witnessDir: folder, continuityIntervalMs: 100 },
    logger: { debug: silent, info: silent, warn: silent, error: silent },
    mode: 'PERFORMANCE',
  } as const;
  const app = await NestFactory.createApplicationContext(NonceModule.forRoot(options), {
    logger: false,
    abortOnError: false,
  });
  try {
    await app.get(NonceComponent).allocate(newSubmitter());
    await waitFor(async () => (await openFiles()).length === 1, {
      describe: 'the witness file to be open',
    });
  } finally {
    await app.close();
  }
  expect(await openFiles()).toEqual([]);
  // What it witnessed stays for the next process.
  expect(await readdir(folder)).toEqual([expect.stringMatching(/\.witness$/)]);
});
