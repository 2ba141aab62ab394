import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';

/** A stored transaction has about this many bytes. */
const RECORD_PADDING = 'x'.repeat(400);
const RECORDS = 1_000;

/**
 * The commands OpenZeppelin Relayer sends to Redis to number a transaction it has already stored:
 * count, find and read the record, write it back with its nonce, then its indexes in one MULTI.
 */
export class OpenZeppelinSequence {
  private next = 0;

  constructor(private readonly redis: Redis) {}

  async prepare(relayer: string): Promise<void> {
    const pipeline = this.redis.pipeline();
    for (let index = 0; index < RECORDS; index += 1) {
      const record = { id: index, relayer, payload: RECORD_PADDING, createdAt: randomUUID() };
      pipeline.set(`oz:relayer-of:${index}`, relayer);
      pipeline.set(`oz:tx:${relayer}:${index}`, JSON.stringify(record));
    }
    await pipeline.exec();
  }

  async allocate(relayer: string): Promise<number> {
    this.next = (this.next + 1) % RECORDS;
    const id = this.next;
    const nonce = await this.redis.incr(`oz:counter:${relayer}`);
    const owner = await this.redis.get(`oz:relayer-of:${id}`);
    const key = `oz:tx:${owner ?? relayer}:${id}`;
    const record = JSON.parse((await this.redis.get(key)) ?? '{}') as Record<string, unknown>;
    await this.redis.set(key, JSON.stringify({ ...record, nonce }));
    await this.redis
      .multi()
      .sadd('oz:relayers', relayer)
      .zadd(`oz:status:${relayer}:sent`, Date.now(), id)
      .set(`oz:nonce:${relayer}:${nonce}`, id)
      .zadd(`oz:created:${relayer}`, Date.now(), id)
      .exec();
    return nonce;
  }
}
