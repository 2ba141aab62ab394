import type { Redis } from 'ioredis';
import { pollUntil } from '../stack/poll-until';

const TIMEOUT_MS = 120_000;

/** Events below a key prefix that wait for Postgres. */
export async function eventsLeft(redis: Redis, keyPrefix: string): Promise<number> {
  const pipeline = redis.pipeline();
  for (const stream of await redis.keys(`${keyPrefix}*:events`)) pipeline.xlen(stream);
  const lengths = (await pipeline.exec()) ?? [];
  return lengths.reduce((sum, [, length]) => sum + Number(length), 0);
}

export async function untilFlushed(redis: Redis, keyPrefix: string): Promise<void> {
  await pollUntil(async () => (await eventsLeft(redis, keyPrefix)) === 0, {
    timeoutMs: TIMEOUT_MS,
    describe: 'the last event to be flushed',
  });
}
