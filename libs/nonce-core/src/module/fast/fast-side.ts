import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Clock } from '../../ports/clock.port';
import type { FastStore } from '../../ports/fast-store.port';
import type { EventQueue } from '../../ports/flush-store.port';
import { duplicateForFastStore } from '../../redis/fast-connection';
import { FastKeys } from '../../redis/fast-keys';
import type { RedisClient } from '../../redis/redis-client';
import { RedisEventQueue } from '../../redis/redis-event-queue';
import { RedisFastStore } from '../../redis/redis-fast-store';
import type { ResolvedNonceOptions } from '../options';

/** The fast store and its queue of events, with a connection of their own that ends with them. */
export class FastSide {
  readonly client: RedisClient;
  readonly keys: FastKeys;
  readonly store: FastStore;
  readonly queue: EventQueue;
  /** Name of this process among all that flush. */
  readonly worker = `${hostname()}.${String(process.pid)}.${randomBytes(4).toString('hex')}`;

  constructor(hostClient: RedisClient, clock: Clock, options: ResolvedNonceOptions) {
    const { keyPrefix, shards } = options.redis;
    const { streamMax } = options.flush;
    this.client = duplicateForFastStore(hostClient);
    this.keys = new FastKeys({ prefix: keyPrefix, shards });
    this.store = new RedisFastStore(this.client, this.keys, { maxWaitingEvents: streamMax });
    this.queue = new RedisEventQueue(this.client, this.keys, clock, { consumer: this.worker });
  }

  close(): void {
    this.client.disconnect();
  }
}
