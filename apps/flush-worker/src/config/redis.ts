import type { DynamicModule } from '@nestjs/common';
import { ClusterModule, RedisModule } from '@liaoliaots/nestjs-redis';
import { toRedisConnection } from '@noncekit/nonce-core';
import type { WorkerEnvironment } from './env.schema';

/** The Redis connection of this app; none when no Redis is configured. */
export function redisImports(environment: WorkerEnvironment): DynamicModule[] {
  const connection = toRedisConnection(environment);
  switch (connection?.kind) {
    case undefined:
      return [];
    case 'cluster':
      return [ClusterModule.forRoot({ closeClient: true, config: connection.config })];
    case 'server':
    case 'sentinel':
      return [RedisModule.forRoot({ closeClient: true, config: connection.config })];
  }
}
