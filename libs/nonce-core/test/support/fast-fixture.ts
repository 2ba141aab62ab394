import { Redis } from 'ioredis';
import type { Allocation } from '../../src/domain/allocation';
import type { LastingMode } from '../../src/domain/engine-mode';
import type { Submitter } from '../../src/domain/submitter';
import type { PerformanceEngine } from '../../src/engines/performance/performance-engine';
import type { PerformanceEngineOptions } from '../../src/engines/performance/performance-options';
import type { PerformanceEnginePorts } from '../../src/engines/performance/performance-ports';
import type { FastWord, FlushEvent } from '../../src/ports/fast-store.port';
import { PostgresFastEpochStore } from '../../src/postgres/postgres-fast-epoch-store';
import { PostgresFlushStore } from '../../src/postgres/postgres-flush-store';
import { PostgresSubmitterStore } from '../../src/postgres/postgres-submitter-store';
import { FastKeys } from '../../src/redis/fast-keys';
import { RedisEventQueue } from '../../src/redis/redis-event-queue';
import { contractWorld, type ContractWorld } from '../../src/testing';
import { openFastClient, type FastClient } from './fast-client';
import { performanceEngine, SYSTEM_CLOCK } from './fast-engine';
import { openStore, type StoreFixture } from './store-fixture';
import { openTestRedis, redisPrefix, type TestRedis } from './test-redis';

const FLUSHED_AT_ONCE = 1_000;

export interface FastFixtureOptions {
  readonly world?: ContractWorld;
  readonly engine?: Partial<PerformanceEngineOptions>;
  /** Where it shall not be a part of the Redis that all tests share; ended by the fixture. */
  readonly redis?: TestRedis;
  /** In force from the start; PERFORMANCE unless told. */
  readonly mode?: LastingMode;
}

/** Both stores of the performance engine, real, and hands that do the work of the worker. */
export interface FastFixture extends StoreFixture {
  readonly redis: TestRedis;
  readonly fast: FastClient;
  readonly epochs: PostgresFastEpochStore;
  readonly submitters: PostgresSubmitterStore;
  readonly world: ContractWorld;
  /** A new engine over these stores, as another process would have one. */
  node(
    options?: Partial<PerformanceEngineOptions>,
    ports?: Partial<PerformanceEnginePorts>,
  ): PerformanceEngine;
  /** Everything the shard of this submitter has queued becomes rows; returns the events. */
  flush(submitter: Submitter): Promise<readonly FlushEvent[]>;
  /** Tells the fast store one word about a grant. */
  tell(word: FastWord, allocation: Allocation): Promise<void>;
  /** Lets the deadline have passed in the fast store. */
  expireInRedis(allocation: Allocation): Promise<void>;
}

/** A Redis that the test started itself; nothing is cleaned up there. */
export async function redisOfItsOwn(url: string): Promise<TestRedis> {
  const client = new Redis(url, { lazyConnect: true, disconnectTimeout: 50 });
  client.on('error', () => undefined);
  await client.connect();
  return {
    url,
    prefix: redisPrefix(),
    client,
    close: async () => {
      client.disconnect();
      return Promise.resolve();
    },
  };
}

export async function openFastFixture(options: FastFixtureOptions = {}): Promise<FastFixture> {
  const [store, redis] = await Promise.all([
    openStore(options.mode),
    options.redis ?? openTestRedis(),
  ]);
  const world = options.world ?? contractWorld();
  const fast = await openFastClient(redis);
  return {
    ...store,
    redis,
    fast,
    world,
    epochs: new PostgresFastEpochStore(store.runner, world.quarantine),
    submitters: new PostgresSubmitterStore(store.runner),
    node: (engine, ports) => {
      const stores = { runner: store.runner, fast: fast.store, world };
      return performanceEngine(stores, { ...options.engine, ...engine }, ports);
    },
    ...handsOnRedis(store, redis, { fast, world }),
    close: async () => {
      fast.close();
      await redis.close();
      await store.close();
    },
  };
}

function handsOnRedis(
  { runner }: StoreFixture,
  redis: TestRedis,
  { fast, world }: { readonly fast: FastClient; readonly world: ContractWorld },
): Pick<FastFixture, 'flush' | 'tell' | 'expireInRedis'> {
  const keys = new FastKeys({ prefix: redis.prefix });
  const flushStore = new PostgresFlushStore(runner);
  return {
    flush: async (submitter) => {
      // A queue of its own each time: one that has met no stream looks again only after a while.
      const queue = new RedisEventQueue(redis.client, keys, SYSTEM_CLOCK, { consumer: 'test' });
      const events: FlushEvent[] = [];
      for (;;) {
        const taken = await queue.take([keys.shardOf(submitter)], FLUSHED_AT_ONCE);
        if (taken.length === 0) return events;
        const batch = taken.map(({ event, text }) => {
          if (event === null) throw new Error(`an event cannot be read: ${text}`);
          return event;
        });
        await flushStore.apply(batch, world.quarantine);
        await queue.acknowledge(taken);
        events.push(...batch);
      }
    },
    tell: async (word, { submitter, epoch, id, nonce }) => {
      const incarnation = await fast.store.incarnationOf(submitter);
      const view = { submitter, epoch, incarnation };
      const words = { txHash: null, note: null, ttlMs: 0, followable: false };
      await fast.store.settle([{ word, view, id, nonce, ...words }]);
    },
    expireInRedis: async ({ submitter, nonce }) => {
      const [, , held = ''] = keys.ofSubmitter(submitter);
      await redis.client.zadd(held, 'XX', Date.now() - 1_000, String(nonce));
    },
  };
}
