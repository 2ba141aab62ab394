import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { sharedServers } from '../../../../tools/test/jest/shared-servers';

export interface TestRedis {
  readonly url: string;
  /** First part of every key of this test file; use it as the `keyPrefix` option. */
  readonly prefix: string;
  /** Without ioredis' own key prefix. */
  readonly client: Redis;
  /** Removes the keys below the prefix and disconnects. */
  close(): Promise<void>;
}

/** A part of the shared Redis that no other test file touches. */
export async function openTestRedis(): Promise<TestRedis> {
  const url = sharedServers().redisUrl;
  const prefix = redisPrefix();
  const client = new Redis(url, { lazyConnect: true });
  await client.connect();
  return {
    url,
    prefix,
    client,
    async close() {
      await removeKeys(client, prefix);
      await client.quit();
    },
  };
}

export function redisPrefix(): string {
  return `test-${randomBytes(6).toString('hex')}`;
}

async function removeKeys(client: Redis, prefix: string): Promise<void> {
  for await (const keys of client.scanStream({ match: `${prefix}*`, count: 500 })) {
    const found = keys as readonly string[];
    if (found.length > 0) await client.unlink(...found);
  }
}
