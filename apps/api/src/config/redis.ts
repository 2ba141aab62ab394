import type { DynamicModule } from '@nestjs/common';
import { ClusterModule, RedisModule } from '@liaoliaots/nestjs-redis';
import type { ApiEnvironment } from './env.schema';

/** Reconnects are quick and for ever: Redis may come back at any time, nothing waits for it. */
const MAX_RECONNECT_MS = 1_000;
const reconnectMs = (attempt: number): number => Math.min(attempt * 50, MAX_RECONNECT_MS);

/** The Redis connection of this app; none when no Redis is configured, which costs speed only. */
export function redisImports(environment: ApiEnvironment): DynamicModule[] {
  if (!environment.redisEnabled) return [];
  if (environment.redisClusterNodes.length > 0) return [clusterModule(environment)];
  if (environment.redisSentinels.length > 0) return [sentinelModule(environment)];
  if (environment.redisUrl === undefined) return [];
  return [
    RedisModule.forRoot({
      closeClient: true,
      config: { url: environment.redisUrl, retryStrategy: reconnectMs },
    }),
  ];
}

function clusterModule(environment: ApiEnvironment): DynamicModule {
  return ClusterModule.forRoot({
    closeClient: true,
    config: {
      nodes: environment.redisClusterNodes.map(hostAndPort),
      clusterRetryStrategy: reconnectMs,
    },
  });
}

function sentinelModule(environment: ApiEnvironment): DynamicModule {
  return RedisModule.forRoot({
    closeClient: true,
    config: {
      sentinels: environment.redisSentinels.map(hostAndPort),
      name: environment.redisSentinelMaster ?? '',
      retryStrategy: reconnectMs,
    },
  });
}

/** The environment's validation has seen to the form. */
function hostAndPort(text: string): { host: string; port: number } {
  const [host = '', port = ''] = text.split(':');
  return { host, port: Number(port) };
}
