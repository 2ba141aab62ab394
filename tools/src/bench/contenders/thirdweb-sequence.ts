import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';

/**
 * The commands thirdweb Engine sends to Redis for a nonce: take a recycled one, else count, then
 * note which job has it. One shared connection without automatic pipelining, as it configures it.
 */
export class ThirdwebSequence {
  constructor(private readonly redis: Redis) {}

  async prepare(account: string): Promise<void> {
    await this.redis.set(`nonce:${account}`, 1);
  }

  async allocate(account: string): Promise<number> {
    const recycled = await this.redis.spop(`nonce-recycled:${account}`);
    const nonce = recycled === null ? await this.redis.incr(`nonce:${account}`) : Number(recycled);
    await this.redis.zadd(`nonce-map:${account}`, nonce, randomUUID());
    return nonce;
  }
}
