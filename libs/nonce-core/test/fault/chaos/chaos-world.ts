import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { RedisReplicaPair, RedisServer } from '../../../../../tools/src/stack/index';
import type { IntentPolicy } from '../../../src/ports/fast-epoch-store.port';
import { newSubmitter } from '../../support/store-fixture';
import { startTestPostgres, type TestPostgres } from '../../support/test-database';
import { waitFor } from '../../support/wait-for';
import { CuttingProxy } from '../cutting-proxy';
import type { Fact } from '../history/history';
import { ChaosNode } from './chaos-node';
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
}

/** The shortest that an allocation may ask for, so that dead holders are soon history. */
export const TTL_MS = 1_000;
export const QUARANTINE_MS = 1_000;
const SHARDS = 4;
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
  /** The way of all workers to Redis. */
  private line: RedisLine | null = null;
  /** Redis has lost something that it had acknowledged. */
  memoryLost = false;
  private readonly everyNode: ChaosNode[] = [];
  private spare: ChaosNode | null = null;
  private started = 0;

  private constructor(
    readonly setting: ChaosSetting,
    readonly postgres: TestPostgres,
    readonly pair: RedisReplicaPair | null,
    /** The server that answers the nodes; a failover makes it another one. */
    public redis: RedisServer,
    readonly pool: Pool,
  ) {
    this.submitters = Array.from({ length: setting.submitters }, () => newSubmitter());
  }

  static async start(setting: ChaosSetting): Promise<ChaosWorld> {
    const [postgres, servers] = await Promise.all([startTestPostgres(), startRedis(setting)]);
    const pool = new Pool({
      connectionString: postgres.url,
      max: 3,
      options: `-c search_path=${postgres.schema},public`,
    });
    pool.on('error', () => undefined);
    const world = new ChaosWorld(setting, postgres, servers.pair, servers.redis, pool);
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
      },
    });
    return node;
  }

  async openWorker(redeliver: boolean): Promise<ChaosWorker> {
    const worker = new ChaosWorker();
    this.started += 1;
    this.line ??= await RedisLine.to(this.redis.port);
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
    this.line?.lead(server.port);
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
    await Promise.all([...lines, this.line?.close()]);
    await Promise.all([this.postgres.server.stop(), (this.pair ?? this.redis).stop()]);
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

async function startRedis(
  setting: ChaosSetting,
): Promise<{ pair: RedisReplicaPair | null; redis: RedisServer }> {
  if (!setting.replica) return { pair: null, redis: await RedisServer.start() };
  const pair = await RedisReplicaPair.start();
  return { pair, redis: pair.first };
}
