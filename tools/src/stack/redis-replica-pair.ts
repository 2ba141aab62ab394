import { pollUntil } from './poll-until';
import { replicationOf, withRedis } from './redis-connection';
import { RedisServer } from './redis-server';

export interface RedisPairOptions {
  /** Further lines of both servers' redis.conf. */
  readonly config?: readonly string[];
  readonly log?: (line: string) => void;
}

const READY_TIMEOUT_MS = 30_000;
/** Reserved for a service that nobody runs: connections are refused at once. */
const NOBODY_PORT = 1;

/**
 * Two Redis servers, of which `second` follows `first` until something else is said. The names
 * stay with the servers; who is primary changes. Roles are written to redis.conf, so a restarted
 * server is what it was.
 */
export class RedisReplicaPair {
  private constructor(
    readonly first: RedisServer,
    readonly second: RedisServer,
  ) {}

  /** Resolves once the replica is in step. */
  static async start(options: RedisPairOptions = {}): Promise<RedisReplicaPair> {
    const first = await startServer(options);
    try {
      return await RedisReplicaPair.attach(first, options);
    } catch (error) {
      await first.stop();
      throw error;
    }
  }

  /**
   * Gives a lone server its replica: the first one to attach changes the replication id of a
   * primary that has lost nothing. `stop` of the pair then ends both.
   */
  static async attach(
    first: RedisServer,
    options: RedisPairOptions = {},
  ): Promise<RedisReplicaPair> {
    const second = await startServer(options);
    const pair = new RedisReplicaPair(first, second);
    try {
      await pair.catchUp();
      return pair;
    } catch (error) {
      await second.stop();
      throw error;
    }
  }

  /**
   * Cuts the replica off: it stays a replica with what it has, and everything written to `first`
   * from now on is the tail that a `promote` loses.
   */
  async lagReplica(): Promise<void> {
    await this.inStep();
    await follow(this.second, NOBODY_PORT);
  }

  /** Has the second follow the first again, and waits until it is in step. */
  async catchUp(): Promise<void> {
    await follow(this.second, this.first.port);
    await this.inStep();
  }

  /**
   * The second becomes a primary by its own word. The first is not told and lives on: whoever is
   * still connected to it writes into a history that nobody will keep.
   */
  async promote(): Promise<void> {
    await standAlone(this.second);
  }

  /** The first gives up what it wrote alone and follows the second. */
  async rejoin(): Promise<void> {
    await follow(this.first, this.second.port);
    await untilInStep(this.first, this.second);
  }

  /** After a `promote`: the first takes the second's state and then its place; both change roles. */
  async failBack(): Promise<void> {
    await this.rejoin();
    await standAlone(this.first);
    await this.catchUp();
  }

  async stop(deadlineMs?: number): Promise<void> {
    await Promise.all([this.second.stop(deadlineMs), this.first.stop(deadlineMs)]);
  }

  private inStep(): Promise<void> {
    return untilInStep(this.second, this.first);
  }
}

function startServer({ config = [], log }: RedisPairOptions): Promise<RedisServer> {
  return RedisServer.start({
    // A primary that ends would wait for a replica that was told to lag.
    config: ['shutdown-timeout 0', ...config],
    ...(log === undefined ? {} : { log }),
  });
}

async function follow(server: RedisServer, primaryPort: number): Promise<void> {
  await withRedis(server.port, async (client) => {
    await client.replicaof('127.0.0.1', primaryPort);
    await client.config('REWRITE');
  });
}

async function standAlone(server: RedisServer): Promise<void> {
  await withRedis(server.port, async (client) => {
    await client.replicaof('NO', 'ONE');
    await client.config('REWRITE');
  });
}

/** Same history and same position in it. */
async function untilInStep(replica: RedisServer, primary: RedisServer): Promise<void> {
  await pollUntil(
    async () => {
      // Theirs first, so that a primary under load can be caught up with.
      const theirs = await replicationOf(primary.port);
      const ours = await replicationOf(replica.port);
      const position = Number(ours.get('slave_repl_offset'));
      return (
        ours.get('master_link_status') === 'up' &&
        ours.get('master_replid') === theirs.get('master_replid') &&
        position >= Number(theirs.get('master_repl_offset'))
      );
    },
    { timeoutMs: READY_TIMEOUT_MS, describe: 'the replica to be in step' },
  );
}
