import { pollUntil } from './poll-until';
import { replicationOf, withRedis } from './redis-connection';
import { RedisServer } from './redis-server';
import { SlotMigration } from './slot-migration';
import { startTogether } from './start-together';

export interface RedisClusterOptions {
  readonly primaries: number;
  /** None, or one replica for each primary; failing over without one is impossible. */
  readonly replicas?: number;
  /** Further lines of every node's redis.conf. */
  readonly config?: readonly string[];
  readonly log?: (line: string) => void;
}

interface Member {
  readonly server: RedisServer;
  /** The cluster's name for the node; it survives restarts. */
  readonly id: string;
}

const SLOTS = 16_384;
const READY_TIMEOUT_MS = 30_000;
/** Long enough that a node which waits for a busy processor is not declared dead. */
const NODE_TIMEOUT_MS = 2_000;

const MEMBER_CONFIG = [
  'cluster-enabled yes',
  `cluster-node-timeout ${String(NODE_TIMEOUT_MS)}`,
  'cluster-announce-ip 127.0.0.1',
  // Redis would move replicas to orphaned primaries by itself; here only the test moves anything.
  'cluster-allow-replica-migration no',
  'cluster-replica-validity-factor 0',
  'shutdown-timeout 0',
];

/**
 * A Redis Cluster of our own with the slots dealt evenly to its primaries, in order. Node `i` of
 * `nodes` starts as the i-th primary; node `primaries + i` starts as its replica.
 */
export class RedisCluster {
  private constructor(
    private readonly members: readonly Member[],
    private readonly primaries: number,
  ) {}

  /** Resolves once every node serves all slots; about two seconds, which Redis itself waits. */
  static async start(options: RedisClusterOptions): Promise<RedisCluster> {
    const { primaries, replicas = 0, config = [], log } = options;
    if (replicas !== 0 && replicas !== primaries) {
      throw new Error('give no replicas, or one for each primary');
    }
    const servers = await startTogether(primaries + replicas, () =>
      RedisServer.start({
        config: [...MEMBER_CONFIG, ...config],
        ...(log === undefined ? {} : { log }),
      }),
    );
    try {
      const members = await Promise.all(servers.map(introduce));
      await join(members, primaries);
      const cluster = new RedisCluster(members, primaries);
      await cluster.untilServing();
      return cluster;
    } catch (error) {
      await Promise.all(servers.map((server) => server.stop()));
      throw error;
    }
  }

  get nodes(): readonly RedisServer[] {
    return this.members.map((member) => member.server);
  }

  /** What a client of the cluster starts from. */
  get startupNodes(): readonly { readonly host: string; readonly port: number }[] {
    return this.nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
  }

  /** The slot of a key, by its hash tag where it has one. */
  async slotOf(key: string): Promise<number> {
    return withRedis(this.member(0).server.port, (client) => client.cluster('KEYSLOT', key));
  }

  /** Index of the node that owns a slot, as a living node sees it. */
  async ownerOf(slot: number): Promise<number> {
    const witness = this.nodes.find((node) => node.running);
    if (witness === undefined) throw new Error('no node of the cluster is running');
    const ranges = await withRedis(witness.port, (client) => client.cluster('SLOTS'));
    for (const range of ranges as unknown as readonly SlotRange[]) {
      const [first, last, [, , id]] = range;
      if (first <= slot && slot <= last) {
        return this.members.findIndex((member) => member.id === id);
      }
    }
    throw new Error(`slot ${String(slot)} belongs to no node`);
  }

  /** Moves a slot with its keys; `midway` runs while about half of them have been moved. */
  async moveSlot(
    slot: number,
    toIndex: number,
    midway: () => Promise<unknown> = () => Promise.resolve(),
  ): Promise<void> {
    const source = this.member(await this.ownerOf(slot));
    const target = this.member(toIndex);
    const others = this.members.filter((member) => member !== source && member !== target);
    const migration = await SlotMigration.open(slot, {
      source: { port: source.server.port, id: source.id },
      target: { port: target.server.port, id: target.id },
      otherPorts: others.filter(({ server }) => server.running).map(({ server }) => server.port),
    });
    try {
      await migration.moveKeys(Math.ceil((await migration.keysLeft()) / 2));
      await midway();
      await migration.finish();
    } finally {
      migration.close();
    }
  }

  /**
   * Makes the replica of a primary take its slots over at once, without asking anybody and without
   * waiting for what it has not yet received. The old primary follows when it hears of it.
   */
  async failOver(primaryIndex: number): Promise<void> {
    const replica = this.member(this.primaries + primaryIndex).server;
    await withRedis(replica.port, (client) => client.cluster('FAILOVER', 'TAKEOVER'));
    await pollUntil(async () => (await replicationOf(replica.port)).get('role') === 'master', {
      timeoutMs: READY_TIMEOUT_MS,
      describe: `node ${String(this.primaries + primaryIndex)} to take over`,
    });
  }

  /** Waits until every running node says that all slots are served, and replicas are in step. */
  async untilServing(): Promise<void> {
    await pollUntil(
      async () => {
        const running = this.members.filter(({ server }) => server.running);
        const ready = await Promise.all(running.map(({ server }) => isServing(server.port)));
        return ready.every(Boolean);
      },
      { timeoutMs: READY_TIMEOUT_MS, describe: 'the cluster to serve all slots' },
    );
  }

  async stop(deadlineMs?: number): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop(deadlineMs)));
  }

  private member(index: number): Member {
    const member = this.members[index];
    if (member === undefined) throw new Error(`the cluster has no node ${String(index)}`);
    return member;
  }
}

type SlotRange = readonly [
  first: number,
  last: number,
  owner: readonly [host: string, port: number, id: string],
];

async function introduce(server: RedisServer): Promise<Member> {
  return { server, id: await withRedis(server.port, (client) => client.cluster('MYID')) };
}

/** Everybody meets everybody, since waiting for gossip would cost seconds. */
async function join(members: readonly Member[], primaries: number): Promise<void> {
  await Promise.all(
    members.map(({ server }, index) =>
      withRedis(server.port, async (client) => {
        await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
        for (const other of members) {
          if (other.server !== server) {
            await client.cluster('MEET', '127.0.0.1', other.server.port);
          }
        }
        if (index >= primaries) return;
        const first = Math.floor((index * SLOTS) / primaries);
        const last = Math.floor(((index + 1) * SLOTS) / primaries) - 1;
        await client.call('CLUSTER', 'ADDSLOTSRANGE', first, last);
      }),
    ),
  );
  await Promise.all(
    members
      .slice(primaries)
      .map(({ server }, index) => replicate(server.port, members[index] as Member)),
  );
}

/** Refused until the replica has heard of its primary and of the slots that it owns. */
async function replicate(port: number, primary: Member): Promise<void> {
  await withRedis(port, (client) =>
    pollUntil(
      () =>
        client.cluster('REPLICATE', primary.id).then(
          () => true,
          () => false,
        ),
      { timeoutMs: READY_TIMEOUT_MS, describe: 'the replica to know its primary' },
    ),
  );
}

async function isServing(port: number): Promise<boolean> {
  const state = await withRedis(port, (client) => client.cluster('INFO'));
  if (!state.includes('cluster_state:ok')) return false;
  const replication = await replicationOf(port);
  return replication.get('role') === 'master' || replication.get('master_link_status') === 'up';
}
