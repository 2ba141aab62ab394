import type { DynamicModule } from '@nestjs/common';
import { ClusterService, RedisService } from '@liaoliaots/nestjs-redis';
import { NonceModule, toNonceOptions, type NonceModuleOptions } from '@noncekit/nonce-core';
import type { WorkerEnvironment } from './env.schema';
import { redisImports } from './redis';
import { signerOptions } from './signers';

/** The nonce module as this environment wants it, on the app's own Redis connection. */
export function nonceModule(environment: WorkerEnvironment): DynamicModule {
  return NonceModule.forRootAsync({
    imports: redisImports(environment),
    inject: [
      { token: RedisService, optional: true },
      { token: ClusterService, optional: true },
    ],
    useFactory: (redis?: RedisService, cluster?: ClusterService): NonceModuleOptions => {
      const client = redis?.getOrThrow() ?? cluster?.getOrThrow();
      const options = { ...toNonceOptions(environment), ...signerOptions(environment) };
      return client === undefined ? options : { ...options, redis: { ...options.redis, client } };
    },
  });
}
