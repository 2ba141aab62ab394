import type { NonceEnvironment } from './nonce-environment';

interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** How to reach Redis, in the words of ioredis and nestjs-redis. */
export type RedisConnection =
  | {
      readonly kind: 'server';
      readonly config: { readonly url: string; retryStrategy(attempt: number): number };
    }
  | {
      readonly kind: 'sentinel';
      readonly config: {
        readonly sentinels: HostAndPort[];
        readonly name: string;
        retryStrategy(attempt: number): number;
      };
    }
  | {
      readonly kind: 'cluster';
      readonly config: {
        readonly nodes: HostAndPort[];
        clusterRetryStrategy(attempt: number): number;
      };
    };

/** Reconnects are quick and for ever: Redis may come back at any time. */
const MAX_RECONNECT_MS = 1_000;
const reconnectMs = (attempt: number): number => Math.min(attempt * 50, MAX_RECONNECT_MS);

/** The Redis of an environment; null when none is configured or it is switched off. */
export function toRedisConnection(environment: NonceEnvironment): RedisConnection | null {
  const { redisEnabled, redisClusterNodes, redisSentinels, redisUrl } = environment;
  if (!redisEnabled) return null;
  if (redisClusterNodes.length > 0) {
    const nodes = redisClusterNodes.map(hostAndPort);
    return { kind: 'cluster', config: { nodes, clusterRetryStrategy: reconnectMs } };
  }
  if (redisSentinels.length > 0) {
    const sentinels = redisSentinels.map(hostAndPort);
    const name = environment.redisSentinelMaster ?? '';
    return { kind: 'sentinel', config: { sentinels, name, retryStrategy: reconnectMs } };
  }
  if (redisUrl === undefined) return null;
  return { kind: 'server', config: { url: redisUrl, retryStrategy: reconnectMs } };
}

/** The environment's validation has seen to the form. */
function hostAndPort(text: string): HostAndPort {
  const [host = '', port = ''] = text.split(':');
  return { host, port: Number(port) };
}
