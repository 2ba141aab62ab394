import { setTimeout as pause } from 'node:timers/promises';
import type { RedisReplicaPair } from '../../../../../tools/src/stack/index';
import type { ChaosWorld } from './chaos-world';
import type { Fault } from './fault';

/** Writes that the replica never hears of. */
const LAG_GRANTS = 40;
const SPLIT_MS = 600;

function pairOf(world: ChaosWorld): RedisReplicaPair {
  if (world.pair === null) throw new Error('this world has no replica');
  return world.pair;
}

/** The pair as it was: the first leads and the second follows in step. */
async function failBack(world: ChaosWorld): Promise<void> {
  await pairOf(world).failBack();
  world.lead(pairOf(world).first);
}

export const FAILOVER_FAULTS: readonly Fault[] = [
  {
    name: 'failover to a replica in step',
    losesMemory: true,
    async strike(world) {
      await pairOf(world).promote();
      world.lead(pairOf(world).second);
      await world.served(10);
      await failBack(world);
      return true;
    },
  },
  {
    name: 'failover to a lagging replica, and fail-back',
    losesMemory: true,
    async strike(world) {
      const pair = pairOf(world);
      await pair.lagReplica();
      await world.served(LAG_GRANTS);
      await pair.promote();
      world.lead(pairOf(world).second);
      await world.served(10);
      await failBack(world);
      return true;
    },
  },
  {
    name: 'split brain: one node stays with the old primary',
    losesMemory: true,
    async strike(world) {
      const pair = pairOf(world);
      await pair.lagReplica();
      await world.served(LAG_GRANTS);
      await pair.promote();
      const [stays, ...moved] = world.seats;
      for (const { redis } of moved) redis.lead(pair.second.port);
      world.leadWorkers(pair.second);
      await pause(SPLIT_MS);
      stays?.redis.lead(pair.second.port);
      world.redis = pair.second;
      await world.served(10);
      await failBack(world);
      return true;
    },
  },
  {
    name: 'the primary dies, and its lagging replica takes over',
    losesMemory: true,
    async strike(world) {
      const pair = pairOf(world);
      await pair.lagReplica();
      await world.served(LAG_GRANTS);
      await pair.first.kill();
      await pair.promote();
      world.lead(pairOf(world).second);
      await world.served(10);
      await pair.first.restart();
      await failBack(world);
      return true;
    },
  },
];
