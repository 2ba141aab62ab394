import { RedisReplicaPair } from '../../../../tools/src/stack/index';
import type { IntentPolicy } from '../../src/ports/fast-epoch-store.port';
import type { FastScripts } from '../../src/redis/fast-scripts';
import { RedisLine } from '../fault/chaos/redis-line';
import { TopologyWorld, toServer, type Connect } from './topology-world';

const SUBMITTERS = 4;
const NODES = 2;
const WARM_UP = 30;
/** Grants that the replica never hears of. */
export const TAIL = 40;

/** Two nodes under load on a primary whose replica lags, each node with a line of its own. */
export class PairWorld {
  private constructor(
    readonly pair: RedisReplicaPair,
    readonly world: TopologyWorld,
    readonly lines: readonly RedisLine[],
  ) {}

  static async start(
    intents: IntentPolicy,
    scripts: Partial<FastScripts> = {},
  ): Promise<PairWorld> {
    const pair = await RedisReplicaPair.start();
    const lines = await Promise.all(
      Array.from({ length: NODES }, () => RedisLine.to(pair.first.port)),
    );
    const world = await TopologyWorld.open({ intents, submitters: SUBMITTERS, scripts });
    world.memoryLost = true;
    const started = new PairWorld(pair, world, lines);
    for (const line of lines) (await world.addNode(toServer(line))).run();
    await world.flushFrom(started.connect);
    await started.served(WARM_UP);
    await pair.lagReplica();
    await started.served(TAIL);
    return started;
  }

  /** The way of the first node. */
  get connect(): Connect {
    return toServer(this.lines[0] as RedisLine);
  }

  async served(count: number): Promise<void> {
    await Promise.all(this.world.nodes.map((node) => node.served(count)));
  }

  /** Leads everybody to this server. */
  lead(server: { readonly port: number }): void {
    for (const line of this.lines) line.lead(server.port);
  }

  /** Whether every submitter is in a later epoch than it was. */
  async moved(before: readonly number[]): Promise<boolean> {
    const after = await this.world.epochs();
    return after.every((epoch, i) => epoch > (before[i] ?? 0));
  }

  async stop(): Promise<void> {
    await this.world.close();
    await Promise.all(this.lines.map((line) => line.close()));
    await this.pair.stop();
  }
}
