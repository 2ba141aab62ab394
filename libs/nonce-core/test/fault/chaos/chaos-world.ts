import { Redis } from 'ioredis';
import { Pool } from 'pg';
import type { RedisReplicaPair, RedisServer } from '../../../../../tools/src/stack/index';
import type { IntentPolicy } from '../../../src/ports/fast-epoch-store.port';
import { newSubmitter } from '../../support/store-fixture';
import type { TestChain } from '../../support/test-chain';
import type { TestPostgres } from '../../support/test-database';
import { waitFor } from '../../support/wait-for';
import { CuttingProxy } from '../cutting-proxy';
import type { Fact } from '../history/history';
import type { ChainPlan } from './bytes';
import { ChaosNode } from './chaos-node';
import { startServers, submitterOn, type ChaosServers } from './chaos-servers';
import { ChaosWorker } from './chaos-worker';
import { RedisLine } from './redis-line';

export interface ChaosSetting {
  readonly intents: IntentPolicy;
  readonly seed: number;
  readonly nodes: number;
  readonly workers: number;
  readonly submitters: number;
  readonly callers: number;
  /** Only declared holders; otherwise plain ones are among them. */
  readonly declaredOnly: boolean;
  /** Redis has a replica, and there may be two primaries. */
  readonly replica: boolean;
  /** Holders send real transfers to a chain of the world's own. */
  readonly chain: boolean;
}

/** The shortest that an allocation may ask for, so that dead holders are soon history. */
export const TTL_MS = 1_000;
export const QUARANTINE_MS = 1_000;
export const SHARDS = 4;
const DRAIN_TIMEOUT_MS = 20_000;

/** One place for a node: its lines stay when the process in it dies and another takes its place. */
export interface Seat {
  node: ChaosNode;
  readonly redis: RedisLine;
  readonly database: CuttingProxy;
}

/** Servers of its own, nodes under load and workers, all of which may be broken at any time. */
export class ChaosWorld {
  readonly submitters: readonly string[];
  readonly seats: Seat[] = [];
  readonly workers: ChaosWorker[] = [];
  readonly facts: Fact[] = [];
  /** Redis has lost something that it had acknowledged. */
  memoryLost = false;
  private readonly everyNode: ChaosNode[] = [];
  private spare: ChaosNode | null = null;
  private started = 0;

  readonly postgres: TestPostgres;
  readonly pair: RedisReplicaPair | null;
  readonly chain: TestChain | null;
  /** The server that answers the nodes; a failover makes it another one. */
  redis: RedisServer;

  private constructor(
    readonly setting: ChaosSetting,
    servers: ChaosServers,
    readonly pool: Pool,
    /** The way of all workers to Redis. */
    private readonly line: RedisLine,
  ) {
    this.postgres = servers.postgres;
    this.pair = servers.pair;
    this.chain = servers.chain;
    this.redis = servers.redis;
    this.submitters = Array.from({ length: setting.submitters }, (_, index) =>
      servers.chain === null ? newSubmitter() : submitterOn(servers.chain, index),
    );
  }

  static async start(setting: ChaosSetting): Promise<ChaosWorld> {
    const servers = await startServers(setting);
    const { postgres, redis } = servers;
    const pool = new Pool({
      connectionString: postgres.url,
      max: 3,
      options: `-c search_path=${postgres.schema},public`,
    });
    pool.on('error', () => undefined);
    const world = new ChaosWorld(setting, servers, pool, await RedisLine.to(redis.port));
    try {
      await world.populate();
    } catch (error) {
      await world.stop();
      throw error;
    }
    return world;
  }

  /** A new process in this place, under load. */
  async reseat(seat: Seat): Promise<void> {
    seat.node = await this.openNode(seat);
    seat.node.run();
  }

  /** A node without load, connected to the servers themselves. */
  async openNode(seat?: Pick<Seat, 'redis' | 'database'>): Promise<ChaosNode> {
    const node = this.spare ?? this.startNode();
    this.spare = null;
    this.started += 1;
    const { intents, callers, declaredOnly, seed } = this.setting;
    await node.prepare({
      name: `node-${this.started}`,
      setting: {
        databaseUrl: seat?.database.through(this.postgres.url) ?? this.postgres.url,
        schema: this.postgres.schema,
        redisUrl: seat?.redis.url ?? this.redis.url,
        keyPrefix: 'chaos',
        shards: SHARDS,
        intents,
        quarantineMs: QUARANTINE_MS,
      },
      plan: {
        submitters: this.submitters,
        callers,
        intents,
        ttlMs: TTL_MS,
        seed: seed * 1_000 + this.started,
        declaredOnly,
        chain: this.chainPlan(),
      },
    });
    return node;
  }

  async openWorker(redeliver: boolean): Promise<ChaosWorker> {
    const worker = new ChaosWorker();
    this.started += 1;
    await worker.prepare({
      name: `worker-${this.started}`,
      databaseUrl: this.postgres.url,
      schema: this.postgres.schema,
      redisUrl: this.line.url,
      keyPrefix: 'chaos',
      shards: SHARDS,
      quarantineMs: QUARANTINE_MS,
      redeliver,
    });
    return worker;
  }

  /** From now on this server answers everybody. */
  lead(server: RedisServer): void {
    this.redis = server;
    for (const { redis } of this.seats) redis.lead(server.port);
    this.leadWorkers(server);
  }

  leadWorkers(server: RedisServer): void {
    this.line.lead(server.port);
  }

  /** Has the next process ready before it is needed. */
  warmUp(): void {
    this.spare ??= this.startNode();
  }

  /** Every node gives nonces. */
  async served(count: number): Promise<void> {
    await Promise.all(this.seats.map(({ node }) => node.served(count)));
  }

  async onRedis<T>(use: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis(this.redis.url, { lazyConnect: true, retryStrategy: () => null });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await use(client);
    } finally {
      client.disconnect();
    }
  }

  /** Every submitter needs a new epoch. */
  async dropStates(): Promise<void> {
    await this.onRedis(async (client) => {
      const keys = await client.keys('chaos:*:state');
      if (keys.length > 0) await client.del(...keys);
    });
  }

  /** Resolves when no event waits in Redis. */
  async drained(): Promise<void> {
    await waitFor(async () => (await this.queuedEvents()) === 0, {
      timeoutMs: DRAIN_TIMEOUT_MS,
      everyMs: 100,
      describe: 'the streams to be empty',
    });
  }

  async queuedEvents(): Promise<number> {
    return this.onRedis(async (client) => {
      const streams = await client.keys('chaos:*:events');
      const lengths = await Promise.all(streams.map((stream) => client.xlen(stream)));
      return lengths.reduce((sum, length) => sum + length, 0);
    });
  }

  /** The whole history so far. */
  history(): readonly Fact[] {
    return [...this.facts, ...this.everyNode.flatMap((node) => node.facts)];
  }

  /** How often callers were refused, by code. */
  refusals(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const [code, count] of this.everyNode.flatMap((node) => [...node.refusals])) {
      counts.set(code, (counts.get(code) ?? 0) + count);
    }
    return counts;
  }

  async stop(): Promise<void> {
    const processes = [...this.everyNode, ...this.workers].map((each) => each.process);
    await Promise.all(processes.map((process) => process.kill()));
    await this.pool.end();
    const lines = this.seats.flatMap((seat) => [seat.redis.close(), seat.database.close()]);
    await Promise.all([...lines, this.line.close()]);
    const servers = [this.postgres.server.stop(), (this.pair ?? this.redis).stop()];
    await Promise.all([...servers, this.chain?.close()]);
  }

  private chainPlan(): ChainPlan | null {
    if (this.chain === null) return null;
    const { rpcUrl, chainId } = this.chain;
    const accounts = Object.fromEntries(this.submitters.map((each, index) => [each, index]));
    return { rpcUrl, chainId, accounts };
  }

  private startNode(): ChaosNode {
    const node = new ChaosNode();
    this.everyNode.push(node);
    return node;
  }

  private async populate(): Promise<void> {
    const { nodes, workers } = this.setting;
    for (let place = 0; place < nodes; place += 1) {
      const redis = await RedisLine.to(this.redis.port);
      const database = await CuttingProxy.start(this.postgres.url);
      const seat = { redis, database, node: this.startNode() };
      this.seats.push(seat);
      this.spare = seat.node;
      seat.node = await this.openNode(seat);
    }
    const opened = Array.from({ length: workers }, (_, index) => this.openWorker(index % 2 === 1));
    this.workers.push(...(await Promise.all(opened)));
    for (const { node } of this.seats) node.run();
    await this.served(1);
  }
}
