import { setTimeout as pause } from 'node:timers/promises';
import { truncateAppendOnlyTail } from '../../../../../tools/src/stack/index';
import { waitFor } from '../../support/wait-for';
import { integerBetween } from '../seeded-random';
import { SHARDS, type ChaosWorld } from './chaos-world';
import type { Fault } from './fault';

/** The last word of every key the engine keeps. */
const KEY_KINDS = ['events', 'witness', 'state', 'free', 'held', 'snap', 'ops', 'ids?'] as const;
const OUTAGE_MS = 150;
/** Some keys are there for moments only. */
const KEY_TIMEOUT_MS = 3_000;
const MAX_CUT_BYTES = 60_000;
const LOST_REPLIES_MAX = 4;

async function whileDown(world: ChaosWorld, then: () => Promise<void>): Promise<boolean> {
  await world.redis.kill();
  await pause(OUTAGE_MS);
  await then();
  await world.redis.restart();
  return true;
}

function paused(ms: number): Fault {
  return {
    name: `Redis stands still for ${ms} ms`,
    async strike({ redis }) {
      redis.pause();
      await pause(ms);
      redis.resume();
      return true;
    },
  };
}

function deleted(kind: string): Fault {
  return {
    name: `DEL of every key "${kind}"`,
    losesMemory: true,
    strike: (world) =>
      world.onRedis(async (client) => {
        const deleted = async (): Promise<boolean> => {
          const keys = await client.keys(`chaos:*:${kind}`);
          return keys.length > 0 && (await client.del(...keys)) > 0;
        };
        const wait = { timeoutMs: KEY_TIMEOUT_MS, everyMs: 2, describe: `a key "${kind}"` };
        return waitFor(deleted, wait).catch(() => false);
      }),
  };
}

/** A mode is there only where one was set; losing it is as bad as losing what it guards. */
const modeDeleted: Fault = {
  name: 'DEL of every key "mode", soon after it was written',
  losesMemory: true,
  async strike(world) {
    const modes = Array.from({ length: SHARDS }, (_, shard) => `chaos:{${String(shard)}}:mode`);
    await world.onRedis(async (client) => {
      await Promise.all(modes.map((mode) => client.hset(mode, 'epoch', '1', 'drain', '0')));
    });
    await world.served(5);
    return world.onRedis(async (client) => (await client.del(...modes)) === SHARDS);
  },
};

const truncated: Fault = {
  name: 'the tail of the append-only file is lost',
  losesMemory: true,
  strike: (world, random) =>
    whileDown(world, async () => {
      await truncateAppendOnlyTail(world.redis, integerBetween(random, 1, MAX_CUT_BYTES));
    }),
};

const repliesLost: Fault = {
  name: 'replies of Redis are lost after execution',
  async strike(world, random) {
    const before = world.seats.map(({ redis }) => redis.lost);
    for (const { redis } of world.seats) {
      redis.loseReplies(integerBetween(random, 1, LOST_REPLIES_MAX));
    }
    await world.served(10);
    return world.seats.some(({ redis }, index) => redis.lost > (before[index] ?? 0));
  },
};

export const REDIS_FAULTS: readonly Fault[] = [
  { name: 'kill -9 of Redis', strike: (world) => whileDown(world, async () => undefined) },
  {
    name: 'a clean restart of Redis',
    async strike({ redis }) {
      await redis.restart();
      return true;
    },
  },
  paused(300),
  paused(1_500),
  {
    name: 'FLUSHALL',
    losesMemory: true,
    strike: (world) =>
      world.onRedis(async (client) => {
        await client.flushall();
        return true;
      }),
  },
  ...KEY_KINDS.map(deleted),
  modeDeleted,
  truncated,
  repliesLost,
  {
    name: 'connections to Redis are cut',
    async strike({ seats }) {
      for (const { redis } of seats) redis.break();
      return true;
    },
  },
  {
    name: 'SCRIPT FLUSH',
    strike: (world) =>
      world.onRedis(async (client) => {
        await client.script('FLUSH', 'SYNC');
        return true;
      }),
  },
];
