import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { NonceError } from '../../src/domain/errors/nonce-error';
import type { QuarantinePolicy } from '../../src/domain/quarantine-policy';
import type { Submitter } from '../../src/domain/submitter';
import type { PerformanceEngine } from '../../src/engines/performance/performance-engine';
import type { FastEpochStore, IntentPolicy } from '../../src/ports/fast-epoch-store.port';
import type { Continuity } from '../../src/ports/witness.port';
import { PostgresFastEpochStore } from '../../src/postgres/postgres-fast-epoch-store';
import { duplicateForFastStore } from '../../src/redis/fast-connection';
import { FastKeys } from '../../src/redis/fast-keys';
import type { RedisClient } from '../../src/redis/redis-client';
import type { FastScripts } from '../../src/redis/fast-scripts';
import { RedisFastStore } from '../../src/redis/redis-fast-store';
import { RedisWitness } from '../../src/redis/redis-witness';
import { contractWorld } from '../../src/testing';
import { countGaps, readEnding } from '../fault/chaos/ending';
import { checkHistory } from '../fault/history/check-history';
import { tellStories } from '../fault/history/tell-stories';
import { performanceEngine } from '../support/fast-engine';
import { newSubmitter, openStore, type StoreFixture } from '../support/store-fixture';
import { waitFor } from '../support/wait-for';
import { RecordedNode } from './recorded-node';
import { RunningFlush } from './running-flush';

export interface TopologySetting {
  readonly intents: IntentPolicy;
  readonly submitters: number;
  readonly shards?: number;
  /** Scripts that replace the product's, to show what one of their guards is for. */
  readonly scripts?: Partial<FastScripts>;
}

/** Whatever connection the shape asks for; the nodes make their own ones after its pattern. */
export type Connect = () => RedisClient;

const PREFIX = 'topology';
const CALLERS = 8;
/** The shortest that an allocation may ask for, so that dead holders are soon history. */
const TTL_MS = 1_000;
const QUARANTINE: QuarantinePolicy = { ms: 1_000, release: 'replacement' };
/** Small, so that there are many refills, and not much is left to spend where an epoch ends. */
const PREFETCH = { size: 8, lowWater: 2, max: 64, idleCloseMs: 60_000 };
const HOUSEKEEPING_MS = 200;
const SWEEP_ROUNDS = 10;
const SWEEP_PAUSE_MS = 300;
/** The latter is told to operations whose nonce went to quarantine. */
const EXPECTED = new Set(['NONCE_STORE_UNAVAILABLE', 'NONCE_OUTCOME_UNKNOWN']);
const NO_CHAINS = { all: [], find: () => undefined };
const SERVER = { systemId: 'topology', startedAt: '1', timeline: '1', lsn: '0/0' };

/** Performance engines in this process on one database, each with its own way to Redis. */
export class TopologyWorld {
  readonly keys: FastKeys;
  readonly submitters: readonly Submitter[];
  readonly nodes: RecordedNode[] = [];
  /** Statements that entered an epoch, and the submitters each of them asked for. */
  readonly entered: number[] = [];
  /** Redis has lost something that it had acknowledged. */
  memoryLost = false;
  private readonly clients: RedisClient[] = [];
  private readonly workers: RunningFlush[] = [];
  private readonly engines: PerformanceEngine[] = [];
  private closing = false;
  private readonly housekeeping: Promise<void>;

  private constructor(
    readonly setting: TopologySetting,
    readonly fixture: StoreFixture,
  ) {
    this.keys = new FastKeys({ prefix: PREFIX, shards: setting.shards ?? 16 });
    this.submitters = Array.from({ length: setting.submitters }, () => newSubmitter());
    this.housekeeping = this.keepHouse();
  }

  static async open(setting: TopologySetting): Promise<TopologyWorld> {
    return new TopologyWorld(setting, await openStore());
  }

  /** A node whose callers begin with `run`. */
  async addNode(connect: Connect): Promise<RecordedNode> {
    const engine = this.engine(await this.client(connect));
    const { intents } = this.setting;
    const seed = this.nodes.length + 1;
    const load = { intents, declaredOnly: false, callers: CALLERS, ttlMs: TTL_MS, seed };
    const node = new RecordedNode(
      { ...load, name: `node-${seed}`, submitters: this.submitters },
      engine,
    );
    this.nodes.push(node);
    return node;
  }

  /** Has the events of a Redis carried to Postgres from now on. */
  async flushFrom(connect: Connect): Promise<RunningFlush> {
    const name = `worker-${this.workers.length + 1}`;
    const route = { name, runner: this.fixture.runner, keys: this.keys, quarantine: QUARANTINE };
    const worker = new RunningFlush(await this.client(connect), route);
    this.workers.push(worker);
    return worker;
  }

  /** Refusals beside those by which a Redis that is away, or has forgotten, makes itself felt. */
  get otherRefusals(): readonly string[] {
    return this.nodes.flatMap((node) => node.refusals).filter((code) => !EXPECTED.has(code));
  }

  /** Epochs that rule now, by submitter; 0 for one that was never used. */
  async epochs(): Promise<readonly number[]> {
    const { rows } = await this.fixture.database.pool.query<{ submitter: string; epoch: string }>(
      'SELECT submitter, epoch FROM submitter_nonce_state WHERE submitter = ANY ($1)',
      [this.submitters],
    );
    const found = new Map(rows.map((row) => [row.submitter, Number(row.epoch)]));
    return this.submitters.map((submitter) => found.get(submitter) ?? 0);
  }

  async countRows(stage: string): Promise<number> {
    const { rows } = await this.fixture.database.pool.query<{ count: string }>(
      `SELECT count(*) FROM submitter_nonce_allocation
        WHERE submitter = ANY ($1) AND stage = $2::text::allocation_stage`,
      [this.submitters, stage],
    );
    return Number(rows[0]?.count);
  }

  /**
   * Ends the load, spends what is left through `connect` until there is no gap, and judges the whole
   * history. Empty when every promise was kept.
   */
  async violations(connect: Connect): Promise<readonly string[]> {
    await Promise.all(this.nodes.map((node) => node.finish()));
    const unrest = await this.comeToRest(connect);
    const { pool } = this.fixture.database;
    const ending = await readEnding(pool, new Map(this.submitters.map((each) => [each, 0])));
    const history = this.nodes.flatMap((node) => node.facts);
    const { intents } = this.setting;
    const broken = checkHistory(history, ending, { intents, memoryLost: this.memoryLost });
    const found = [...unrest, ...broken];
    return found.length === 0 ? [] : [...found, tellStories(found, history, ending)];
  }

  async close(): Promise<void> {
    this.closing = true;
    await Promise.all(this.nodes.map((node) => node.finish()));
    await this.housekeeping;
    await Promise.all(this.workers.map((worker) => worker.stop()));
    await Promise.all(this.engines.map((engine) => engine.stop(2_000)));
    for (const client of this.clients) client.disconnect();
    await this.fixture.close();
  }

  private async comeToRest(connect: Connect): Promise<readonly string[]> {
    const { pool } = this.fixture.database;
    const gaps = () => countGaps(pool, this.submitters);
    for (let round = 0; round < SWEEP_ROUNDS; round += 1) {
      const sweeper = await this.addNode(connect);
      sweeper.sweep();
      // So many that every caller was at every submitter, and could take all that is there.
      await sweeper.served(Math.max(CALLERS * this.submitters.length, await gaps()));
      await sweeper.finish();
      await this.workers.at(-1)?.drain();
      if ((await gaps()) === 0) return [];
      // What a holder left behind is given out again once its time and its quarantine are over.
      await pause(SWEEP_PAUSE_MS);
    }
    return [`L1, S12: ${await gaps()} nonces below the counter cannot be had any more`];
  }

  private async client(connect: Connect): Promise<RedisClient> {
    const host = connect();
    host.on('error', () => undefined);
    const client = duplicateForFastStore(host);
    this.clients.push(host, client);
    await Promise.all(
      [host, client].map((each) =>
        waitFor(() => each.status === 'ready', { describe: 'a connection to Redis' }),
      ),
    );
    return client;
  }

  private engine(client: RedisClient): PerformanceEngine {
    const { runner } = this.fixture;
    const world = { ...contractWorld(), maxInFlight: 0, quarantine: QUARANTINE, chains: NO_CHAINS };
    const fast = new RedisFastStore(client, this.keys, {}, this.setting.scripts);
    const engine = performanceEngine(
      { runner, fast, world },
      { intents: this.setting.intents, prefetch: PREFETCH },
      {
        epochs: this.counted(new PostgresFastEpochStore(runner, QUARANTINE)),
        continuity: this.witnessing(client),
      },
    );
    this.engines.push(engine);
    return engine;
  }

  /** Keeps witnesses as every node does; nobody reads them, since the database is never set back. */
  private witnessing(client: RedisClient): Continuity {
    const { shards } = this.keys;
    const shardOf = this.keys.shardOf.bind(this.keys);
    const places = new RedisWitness(client, { keyPrefix: PREFIX, shards, shardOf });
    return {
      async keep(witnesses) {
        await places.keep(SERVER, witnesses).catch((cause: unknown) => {
          throw new NonceError('NONCE_STORE_UNAVAILABLE', { cause });
        });
      },
    };
  }

  private counted(store: FastEpochStore): FastEpochStore {
    return new Proxy(store, {
      get: (target, name) => {
        const found = Reflect.get(target, name) as unknown;
        if (typeof found !== 'function') return found;
        return (...parameters: unknown[]): unknown => {
          if (name === 'enter') this.entered.push((parameters[0] as readonly unknown[]).length);
          return Reflect.apply(found, target, parameters);
        };
      },
    });
  }

  /** What the module does about once a second. */
  private async keepHouse(): Promise<void> {
    while (!this.closing) {
      await Promise.all(
        this.engines.flatMap((engine) => [
          engine.reclaimExpired(1_000).catch(() => 0),
          engine.loadFree(1_000).catch(() => 0),
        ]),
      );
      await pause(HOUSEKEEPING_MS);
    }
  }
}

/** Connections to one server. */
export function toServer(server: { readonly url: string }): Connect {
  return () => new Redis(server.url, { retryStrategy: () => 50 });
}
