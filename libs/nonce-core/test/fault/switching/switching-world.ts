import { Pool } from 'pg';
import { RedisServer } from '../../../../../tools/src/stack/index';
import type { EngineMode } from '../../../src/domain/engine-mode';
import type { IntentPolicy } from '../../../src/ports/fast-epoch-store.port';
import { newSubmitter } from '../../support/store-fixture';
import { startTestPostgres, type TestPostgres } from '../../support/test-database';
import { waitFor } from '../../support/wait-for';
import { ChaosNode } from '../chaos/chaos-node';
import type { Fact } from '../history/history';

export interface SwitchingWorldSetting {
  readonly seed: number;
  readonly intents: IntentPolicy;
  readonly nodes: number;
  readonly submitters: number;
  /** Per node. */
  readonly callers: number;
}

/** The shortest that an allocation may ask for, so that dead holders are soon history. */
export const TTL_MS = 1_000;
export const QUARANTINE_MS = 1_000;
/** For five hundred grants a second and more beside other tests. */
const THINK_MS = 12;
const SHARDS = 4;
const PREFIX = 'switching';

/** Hosts under load on servers of their own; the mode changes under them. */
export class SwitchingWorld {
  readonly submitters: readonly string[];
  readonly nodes: ChaosNode[] = [];
  private readonly everyNode: ChaosNode[] = [];
  private started = 0;

  private constructor(
    readonly setting: SwitchingWorldSetting,
    readonly postgres: TestPostgres,
    readonly redis: RedisServer,
    readonly pool: Pool,
  ) {
    this.submitters = Array.from({ length: setting.submitters }, () => newSubmitter());
  }

  static async start(setting: SwitchingWorldSetting): Promise<SwitchingWorld> {
    const [postgres, redis] = await Promise.all([startTestPostgres(), RedisServer.start()]);
    const options = `-c search_path=${postgres.schema},public`;
    const pool = new Pool({ connectionString: postgres.url, max: 3, options });
    pool.on('error', () => undefined);
    const world = new SwitchingWorld(setting, postgres, redis, pool);
    try {
      for (let place = 0; place < setting.nodes; place += 1) {
        world.nodes.push(await world.openNode());
      }
      for (const node of world.nodes) node.run();
      await world.served(1);
    } catch (error) {
      await world.stop();
      throw error;
    }
    return world;
  }

  /** A node without load. */
  async openNode(callers = this.setting.callers): Promise<ChaosNode> {
    const node = new ChaosNode('switching');
    this.everyNode.push(node);
    this.started += 1;
    const { intents, seed } = this.setting;
    await node.prepare({
      name: `node-${this.started}`,
      setting: {
        databaseUrl: this.postgres.url,
        schema: this.postgres.schema,
        redisUrl: this.redis.url,
        keyPrefix: PREFIX,
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
        declaredOnly: false,
        thinkMs: THINK_MS,
      },
    });
    return node;
  }

  /** Kills the process in this place; another one, which is ready, comes under load there. */
  async replace(place: number, next: ChaosNode): Promise<void> {
    await this.nodes[place]?.kill();
    this.nodes[place] = next;
    next.run();
  }

  /** Every node gives nonces. */
  async served(count: number): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.served(count)));
  }

  async mode(): Promise<EngineMode> {
    const { rows } = await this.pool.query<{ mode: EngineMode }>('SELECT mode FROM engine_mode');
    const [row] = rows;
    if (row === undefined) throw new Error('there is no mode');
    return row.mode;
  }

  /** Resolves when no fast epoch rules and no event waits. */
  async atRest(): Promise<void> {
    await waitFor(
      async () => {
        const { rows } = await this.pool.query<{ busy: boolean }>(
          `SELECT EXISTS (SELECT 1 FROM submitter_nonce_state WHERE engine = 'performance')
             OR EXISTS (SELECT 1 FROM mode_switch WHERE state = 'running') AS busy`,
        );
        return rows[0]?.busy === false;
      },
      { timeoutMs: 20_000, everyMs: 100, describe: 'every submitter to be with Postgres again' },
    );
  }

  history(): readonly Fact[] {
    return this.everyNode.flatMap((node) => node.facts);
  }

  /** Calls that were refused, by code; those of a killed process have no answer. */
  refusals(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const [code, count] of this.everyNode.flatMap((node) => [...node.refusals])) {
      counts.set(code, (counts.get(code) ?? 0) + count);
    }
    return counts;
  }

  /** What the nodes warned of, last. */
  warnings(): readonly string[] {
    return this.everyNode.map(({ name, process }) => `${name} warned:\n${process.output}`);
  }

  reasons(): readonly string[] {
    return this.everyNode.flatMap((node) => node.reasons);
  }

  get grants(): number {
    return this.everyNode.reduce((sum, node) => sum + node.grants, 0);
  }

  async stop(): Promise<void> {
    await Promise.all(this.everyNode.map((node) => node.process.kill()));
    await this.pool.end();
    await Promise.all([this.postgres.server.stop(), this.redis.stop()]);
  }
}
