import { isCluster, type RedisClient } from './redis-client';

interface FastConnectionOptions {
  /** A script without a reply after this time has an unknown outcome; its epoch may have to end. */
  readonly commandTimeoutMs: number;
  readonly connectTimeoutMs: number;
}

const FAST_CONNECTION_DEFAULTS: FastConnectionOptions = {
  // Many times what a busy Redis needs for a full batch; a silent one is left within a second.
  commandTimeoutMs: 400,
  connectTimeoutMs: 1_000,
};

const MAX_RECONNECT_MS = 1_000;

/**
 * A connection of its own for the fast store, to the server of `client`. Whatever is sent on it runs
 * at most once: nothing is queued while it is away, nothing is sent again by itself. Redirections of
 * a Cluster (MOVED, ASK, TRYAGAIN) are followed, since a redirected command has not run.
 * The caller owns the connection and disconnects it.
 */
export function duplicateForFastStore(
  client: RedisClient,
  options: Partial<FastConnectionOptions> = {},
): RedisClient {
  const { commandTimeoutMs, connectTimeoutMs } = { ...FAST_CONNECTION_DEFAULTS, ...options };
  const perNode = {
    commandTimeout: commandTimeoutMs,
    connectTimeout: connectTimeoutMs,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    enableAutoPipelining: false,
    maxRetriesPerRequest: 0,
    stringNumbers: false,
    // True reconnects and rejects; 2 would send the command again. Sentinel then names the primary.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  };
  const reconnect = (attempt: number) => Math.min(attempt * 50, MAX_RECONNECT_MS);
  const duplicate: RedisClient = isCluster(client)
    ? client.duplicate([], {
        // Without it all commands but the first fail while a node is being connected to. Only what
        // has never left waits there, and no longer than a reply may take; what comes while the
        // Cluster itself is away is refused by runFastScript.
        enableOfflineQueue: true,
        enableAutoPipelining: false,
        scaleReads: 'master',
        clusterRetryStrategy: reconnect,
        // Either would send commands again that were on their way when a node was lost.
        retryDelayOnFailover: 0,
        retryDelayOnClusterDown: 0,
        // What the nodes are reached with (password, TLS) stays.
        redisOptions: { ...client.options.redisOptions, ...perNode },
      })
    : client.duplicate({
        ...perNode,
        role: 'master',
        retryStrategy: reconnect,
        sentinelRetryStrategy: reconnect,
        lazyConnect: false,
      });
  // What is lost shows by the commands that fail; without a listener each attempt would log.
  duplicate.on('error', () => undefined);
  return duplicate;
}
