import { pollUntil } from './poll-until';
import { withRedis } from './redis-connection';
import { RedisServer } from './redis-server';
import { startTogether } from './start-together';

export interface RedisSentinelsOptions {
  /** Name of the watched group, as clients ask for it. */
  readonly name?: string;
  readonly downAfterMs?: number;
  readonly log?: (line: string) => void;
}

const SENTINELS = 3;
const QUORUM = 2;
const DOWN_AFTER_MS = 500;
const FAILOVER_TIMEOUT_MS = 5_000;
const READY_TIMEOUT_MS = 30_000;

/**
 * Three Sentinels that watch one primary and its replicas; two of them suffice to depose it. They
 * own nothing of what they watch: `stop` ends the Sentinels alone.
 */
export class RedisSentinels {
  private constructor(
    readonly name: string,
    private readonly servers: readonly RedisServer[],
  ) {}

  /** Resolves once all of them know each other and every replica of the primary. */
  static async start(
    primary: RedisServer,
    options: RedisSentinelsOptions = {},
  ): Promise<RedisSentinels> {
    const { name = 'noncekit', downAfterMs = DOWN_AFTER_MS, log } = options;
    const config = [
      `sentinel monitor ${name} 127.0.0.1 ${String(primary.port)} ${String(QUORUM)}`,
      `sentinel down-after-milliseconds ${name} ${String(downAfterMs)}`,
      `sentinel failover-timeout ${name} ${String(FAILOVER_TIMEOUT_MS)}`,
    ];
    const servers = await startTogether(SENTINELS, () =>
      RedisServer.start({ sentinel: true, config, ...(log === undefined ? {} : { log }) }),
    );
    const sentinels = new RedisSentinels(name, servers);
    try {
      await sentinels.untilAcquainted(primary);
      return sentinels;
    } catch (error) {
      await sentinels.stop();
      throw error;
    }
  }

  /** What a client by Sentinel starts from. */
  get addresses(): readonly { readonly host: string; readonly port: number }[] {
    return this.servers.map(({ port }) => ({ host: '127.0.0.1', port }));
  }

  /** Port of the primary on which a majority agrees; undefined while they differ. */
  async primaryPort(): Promise<number | undefined> {
    const said = await Promise.all(
      this.servers.map(async ({ port }) => Number((await this.view(port)).get('port'))),
    );
    return said.find((port) => said.filter((other) => other === port).length >= QUORUM);
  }

  /**
   * Has one Sentinel depose a living primary, and waits until another one is named. The deposed one
   * is told to follow only after eight seconds; until then there are two primaries.
   */
  async failOver(): Promise<number> {
    const [sentinel] = this.servers;
    const before = await this.primaryPort();
    if (sentinel === undefined || before === undefined) throw new Error('no primary is named');
    await withRedis(sentinel.port, (client) => client.call('SENTINEL', 'FAILOVER', this.name));
    return this.untilPrimaryIsNot(before);
  }

  /** Waits until a majority names another primary, for example after a kill. Returns its port. */
  async untilPrimaryIsNot(port: number): Promise<number> {
    return pollUntil(
      async () => {
        const named = await this.primaryPort();
        return named === port ? undefined : named;
      },
      { timeoutMs: READY_TIMEOUT_MS, describe: 'the Sentinels to name another primary' },
    );
  }

  async stop(deadlineMs?: number): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop(deadlineMs)));
  }

  private async untilAcquainted(primary: RedisServer): Promise<void> {
    const replicas = await withRedis(primary.port, async (client) => {
      const [, , followers] = (await client.call('ROLE')) as [string, number, unknown[]];
      return followers.length;
    });
    await pollUntil(
      async () => {
        const views = await Promise.all(this.servers.map(({ port }) => this.view(port)));
        return views.every(
          (view) =>
            view.get('flags') === 'master' &&
            view.get('num-other-sentinels') === String(SENTINELS - 1) &&
            view.get('num-slaves') === String(replicas),
        );
      },
      { timeoutMs: READY_TIMEOUT_MS, describe: 'the Sentinels to know each other' },
    );
  }

  /** What one Sentinel thinks of the group. */
  private async view(port: number): Promise<ReadonlyMap<string, string>> {
    const reply = await withRedis(port, (client) => client.call('SENTINEL', 'MASTER', this.name));
    const words = reply as readonly string[];
    const pairs = words.flatMap((word, i): [string, string][] =>
      i % 2 === 0 ? [[word, words[i + 1] ?? '']] : [],
    );
    return new Map(pairs);
  }
}
