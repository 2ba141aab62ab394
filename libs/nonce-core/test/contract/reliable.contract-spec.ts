import { Redis } from 'ioredis';
import { RedisServer } from '../../../../tools/src/stack/index';
import type { LockCoordinator } from '../../src/ports/lock.port';
import { NO_METRICS } from '../../src/ports/metrics.port';
import { duplicateForLocks } from '../../src/redis/redis-client';
import { RedisLockCoordinator } from '../../src/redis/redis-lock-coordinator';
import { describeNonceEngine } from '../../src/testing';
import { ALWAYS_GRANTED, SYSTEM_CLOCK, postgresSubject, type NodeParts } from './postgres-subject';

const SILENT = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

// I-23: no sentence of the contract may depend on the lock, so here it never excludes anybody.
describeNonceEngine('I-23: the reliable engine, with a lock that is always granted,', () =>
  postgresSubject(async () => ({ locks: ALWAYS_GRANTED, close: async () => undefined })),
);

describeNonceEngine('the reliable engine, with the lock of a running Redis,', async () => {
  const server = await RedisServer.start();
  const subject = await postgresSubject(async () => nodeOn(server.url));
  return { ...subject, close: () => subject.close().finally(() => server.stop()) };
});

describeNonceEngine('the reliable engine, with no Redis at its address,', () =>
  // Port 1 is reserved and refuses every connection.
  postgresSubject(async () => nodeOn('redis://127.0.0.1:1')),
);

describeNonceEngine('the reliable engine, with a Redis that is killed mid-run,', async () => {
  const server = await RedisServer.start();
  let acquired = 0;
  const killing = async (): Promise<void> => {
    acquired += 1;
    if (acquired === 40) await server.kill();
  };
  const subject = await postgresSubject(async () => {
    const node = nodeOn(server.url);
    const locks: LockCoordinator = {
      acquire: async (keys) => {
        const lock = await node.locks.acquire(keys);
        await killing();
        return lock;
      },
    };
    return { ...node, locks };
  });
  return { ...subject, close: () => subject.close().finally(() => server.stop()) };
});

function nodeOn(url: string): NodeParts {
  const host = new Redis(url, { lazyConnect: true });
  const client = duplicateForLocks(host);
  const ports = { metrics: NO_METRICS, logger: SILENT, clock: SYSTEM_CLOCK };
  const locks = new RedisLockCoordinator(client, ports);
  return {
    locks,
    close: async () => {
      await locks.stop();
      client.disconnect();
      host.disconnect();
    },
  };
}
