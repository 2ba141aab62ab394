import { Redis } from 'ioredis';
import { SystemClock } from '../../src/module/system-clock';
import { checkRedis, refuseEviction } from '../../src/redis/redis-boot-checks';
import { duplicateForFastStore } from '../../src/redis/fast-connection';
import type { RedisClient } from '../../src/redis/redis-client';
import { RedisServer, type RedisOptions } from '../../../../tools/src/stack/index';

const quiet = () => undefined;

async function withRedis(
  config: RedisOptions['config'],
  check: (client: RedisClient, server: RedisServer) => Promise<void>,
): Promise<void> {
  const server = await RedisServer.start({ config: config ?? [] });
  const host = new Redis(server.url, { lazyConnect: true, disconnectTimeout: 50 });
  const client = duplicateForFastStore(host);
  try {
    await check(client, server);
  } finally {
    client.disconnect();
    host.disconnect();
    await server.stop();
  }
}

/** Checks and returns what was warned of. */
async function warningsOf(client: RedisClient): Promise<readonly string[]> {
  const warnings: string[] = [];
  const warn = (text: string, context: object = {}) =>
    void warnings.push(`${text} ${JSON.stringify(context)}`);
  const logger = { debug: quiet, info: quiet, warn, error: quiet };
  await checkRedis(client, { clock: new SystemClock(), logger });
  return warnings;
}

it('a Redis that keeps every key and writes to its disk is taken without a word', async () => {
  await withRedis([], async (client) => {
    expect(await warningsOf(client)).toEqual([]);
  });
});

it.each(['allkeys-lru', 'volatile-ttl', 'allkeys-random'])('refuses %s', async (policy) => {
  await withRedis([`maxmemory-policy ${policy}`], async (client) => {
    await expect(warningsOf(client)).rejects.toMatchObject({
      code: 'NONCE_REDIS_EVICTION',
      context: { policy },
      fix: expect.stringContaining('noeviction'),
    });
  });
});

it('asks for a disk where there is none, and issues all the same', async () => {
  await withRedis(['appendonly no'], async (client) => {
    expect(await warningsOf(client)).toEqual([expect.stringContaining('appendonly yes')]);
  });
});

it('notices a policy that was changed while Redis runs', async () => {
  await withRedis([], async (client) => {
    await warningsOf(client);
    await client.call('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    await expect(refuseEviction(client)).rejects.toMatchObject({ code: 'NONCE_REDIS_EVICTION' });
  });
});

it('does not wait for a Redis that is away, and says that nothing is issued', async () => {
  await withRedis([], async (client, server) => {
    await warningsOf(client);
    await server.kill();
    expect(await warningsOf(client)).toEqual([expect.stringContaining('nothing is issued')]);
  });
});
