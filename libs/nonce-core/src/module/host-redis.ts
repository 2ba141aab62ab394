import type { Provider } from '@nestjs/common';
import { NonceError } from '../domain/errors/nonce-error';
import type { RedisClient } from '../redis/redis-client';
import { clientOf, redisServiceToken, type RedisServiceLike } from './find-redis-service';
import type { ResolvedNonceOptions } from './options';
import { HOST_REDIS, NONCE_OPTIONS } from './tokens';

/**
 * The client given in the options, else the default one of the host's nestjs-redis; null without
 * either. Nothing is sent on it: each use has a connection of its own.
 */
export function hostRedisProvider(): Provider {
  const redisService = redisServiceToken();
  const optional = redisService === null ? [] : [{ token: redisService, optional: true }];
  return {
    provide: HOST_REDIS,
    inject: [NONCE_OPTIONS, ...optional],
    useFactory: (options: ResolvedNonceOptions, service?: RedisServiceLike) => {
      const { client, enabled } = options.redis;
      const found = enabled ? (client ?? clientOf(service)) : null;
      if (options.mode === 'PERFORMANCE') refuseWithout(found);
      return found;
    },
  };
}

function refuseWithout(client: RedisClient | null): void {
  if (client !== null) return;
  const detail = 'PERFORMANCE issues from Redis: give a client, or import the RedisModule';
  throw new NonceError('NONCE_CONFIG_INVALID', { errors: [{ pointer: '/redis/client', detail }] });
}
