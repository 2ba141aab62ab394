import type { Cluster, Redis } from 'ioredis';

/** Any client of ioredis: a single server, Sentinel, or Cluster. */
export type RedisClient = Redis | Cluster;

export interface LockClientOptions {
  /** A command without a reply after this time counts as failed. */
  readonly commandTimeoutMs: number;
  readonly connectTimeoutMs: number;
}

const LOCK_CLIENT_DEFAULTS: LockClientOptions = {
  // A healthy Redis answers within 2 ms; a slower one would cost more than the lock saves.
  commandTimeoutMs: 100,
  connectTimeoutMs: 1_000,
};

/** Longest pause between two attempts to reconnect. */
const MAX_RECONNECT_MS = 1_000;

/**
 * A connection of its own for locks, to the server of `client`. It fails at once instead of
 * queueing: a command that waits for a reconnect would be a lock taken long after its use.
 * The caller owns the connection and disconnects it.
 */
export function duplicateForLocks(
  client: RedisClient,
  options: LockClientOptions = LOCK_CLIENT_DEFAULTS,
): RedisClient {
  const perNode = {
    commandTimeout: options.commandTimeoutMs,
    connectTimeout: options.connectTimeoutMs,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    enableAutoPipelining: false,
    maxRetriesPerRequest: 0,
  };
  const reconnect = (attempt: number) => Math.min(attempt * 50, MAX_RECONNECT_MS);
  const duplicate: RedisClient = isCluster(client)
    ? client.duplicate([], {
        enableOfflineQueue: false,
        clusterRetryStrategy: reconnect,
        // What the nodes are reached with (password, TLS) stays.
        redisOptions: { ...client.options.redisOptions, ...perNode },
      })
    : client.duplicate({ ...perNode, retryStrategy: reconnect, lazyConnect: false });
  // The coordinator reports the loss by its effect; without a listener each attempt would log.
  duplicate.on('error', () => undefined);
  return duplicate;
}

/** Asked by flag, not by class: the host may carry its own copy of ioredis. */
export function isCluster(client: RedisClient): client is Cluster {
  return client.isCluster;
}
