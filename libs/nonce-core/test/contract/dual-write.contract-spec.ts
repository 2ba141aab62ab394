import { Redis } from 'ioredis';
import { RedisServer } from '../../../../tools/src/stack/index';
import { DualWriteEngine } from '../../src/engines/dual-write/dual-write-engine';
import { MirrorBuffer } from '../../src/engines/dual-write/mirror-buffer';
import type { NonceEngine } from '../../src/ports/engine.port';
import { NO_METRICS } from '../../src/ports/metrics.port';
import { duplicateForFastStore } from '../../src/redis/fast-connection';
import { FastKeys } from '../../src/redis/fast-keys';
import { RedisMirror } from '../../src/redis/redis-mirror';
import { describeNonceEngine, type ContractSubject } from '../../src/testing';
import { ALWAYS_GRANTED, postgresSubject, SYSTEM_CLOCK } from './postgres-subject';

/** Facts after which a Redis that is to be killed in between is killed. */
const KILLED_AFTER = 60;

describeNonceEngine('the dual-write engine, with a running Redis,', async () => {
  const server = await RedisServer.start();
  return dualWriteSubject(server, async () => undefined);
});

describeNonceEngine('the dual-write engine, with a Redis that is killed in between,', async () => {
  const server = await RedisServer.start();
  let told = 0;
  return dualWriteSubject(server, async () => {
    told += 1;
    if (told === KILLED_AFTER) await server.kill();
  });
});

describeNonceEngine(
  'the dual-write engine, with a Redis that is emptied all the time,',
  async () => {
    const server = await RedisServer.start();
    const client = new Redis(server.url);
    const subject = await dualWriteSubject(server, async () => {
      await client.flushall();
    });
    const close = (): Promise<void> => {
      client.disconnect();
      return subject.close();
    };
    return { ...subject, close };
  },
);

async function dualWriteSubject(
  server: RedisServer,
  beforeWrite: () => Promise<void>,
): Promise<ContractSubject> {
  const subject = await postgresSubject(async () => ({
    locks: ALWAYS_GRANTED,
    close: async () => undefined,
  }));
  const ends: (() => Promise<void>)[] = [];
  const mirrored = (authority: NonceEngine): NonceEngine => {
    const host = new Redis(server.url, { lazyConnect: true });
    const client = duplicateForFastStore(host);
    const redis = new RedisMirror(client, new FastKeys());
    const store = {
      shardOf: redis.shardOf.bind(redis),
      write: async (...news: Parameters<RedisMirror['write']>) => {
        await beforeWrite();
        await redis.write(...news);
      },
    };
    const buffer = new MirrorBuffer({ store, clock: SYSTEM_CLOCK, metrics: NO_METRICS });
    ends.push(async () => {
      await buffer.stop(5_000);
      client.disconnect();
      host.disconnect();
    });
    return new DualWriteEngine(authority, buffer);
  };
  return {
    ...subject,
    engine: mirrored(subject.engine),
    secondNode: async () => mirrored(await subject.secondNode()),
    close: async () => {
      for (const end of ends) await end();
      await subject.close();
      await server.stop();
    },
  };
}
