import type { Redis } from 'ioredis';
import { toRedis } from './redis-connection';

export interface MigrationEnd {
  readonly port: number;
  readonly id: string;
}

export interface MigrationRoute {
  readonly source: MigrationEnd;
  readonly target: MigrationEnd;
  /** The rest of the cluster, told at the end so that nobody has to wait for gossip. */
  readonly otherPorts: readonly number[];
}

const MIGRATE_TIMEOUT_MS = 5_000;
const KEYS_AT_ONCE = 100;

/**
 * The move of one slot, step by step, so that a test can act between the steps. From `open` to
 * `finish` both nodes answer for the slot: keys that have moved are redirected by ASK, a command
 * over several keys of which some are missing is told TRYAGAIN. All connections are made before it
 * begins: clients wait for no longer than the steps themselves take.
 */
export class SlotMigration {
  private constructor(
    private readonly slot: number,
    private readonly route: MigrationRoute,
    private readonly connections: ReadonlyMap<number, Redis>,
  ) {}

  static async open(slot: number, route: MigrationRoute): Promise<SlotMigration> {
    const { source, target, otherPorts } = route;
    const ports = [source.port, target.port, ...otherPorts];
    const connections = new Map(ports.map((port) => [port, toRedis(port)]));
    const migration = new SlotMigration(slot, route, connections);
    try {
      await Promise.all([...connections.values()].map((client) => client.connect()));
      // Importing first: a client redirected by the source must find the target prepared.
      await migration.setSlot(target.port, 'IMPORTING', source.id);
      await migration.setSlot(source.port, 'MIGRATING', target.id);
      return migration;
    } catch (error) {
      migration.close();
      throw error;
    }
  }

  keysLeft(): Promise<number> {
    return this.connection(this.route.source.port).cluster('COUNTKEYSINSLOT', this.slot);
  }

  /** Moves at most `limit` keys, each whole and at once. Returns how many. */
  async moveKeys(limit: number): Promise<number> {
    const { source, target } = this.route;
    const client = this.connection(source.port);
    const keys = await client.cluster('GETKEYSINSLOT', this.slot, limit);
    if (keys.length === 0) return 0;
    await client.call(
      'MIGRATE',
      ...['127.0.0.1', target.port, '', 0, MIGRATE_TIMEOUT_MS],
      ...['KEYS', ...keys],
    );
    return keys.length;
  }

  /** Moves what is left and makes the target the owner for everybody. */
  async finish(): Promise<void> {
    const { source, target, otherPorts } = this.route;
    while ((await this.moveKeys(KEYS_AT_ONCE)) > 0);
    // The target first: were the source told first, both would redirect to each other.
    for (const port of [target.port, source.port, ...otherPorts]) {
      await this.setSlot(port, 'NODE', target.id);
    }
  }

  close(): void {
    for (const client of this.connections.values()) client.disconnect();
  }

  private async setSlot(
    port: number,
    state: 'IMPORTING' | 'MIGRATING' | 'NODE',
    id: string,
  ): Promise<void> {
    await this.connection(port).call('CLUSTER', 'SETSLOT', this.slot, state, id);
  }

  private connection(port: number): Redis {
    const client = this.connections.get(port);
    if (client === undefined) throw new Error(`no connection to ${String(port)}`);
    return client;
  }
}
