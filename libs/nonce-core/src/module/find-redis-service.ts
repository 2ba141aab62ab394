import { createRequire } from 'node:module';
import type { Type } from '@nestjs/common';
import type { RedisClient } from '../redis/redis-client';

/** The part of nestjs-redis's RedisService that is used. */
export interface RedisServiceLike {
  getOrThrow(): RedisClient;
}

/** Class of nestjs-redis's service when the package is installed; the host may not use it at all. */
export function redisServiceToken(): Type<RedisServiceLike> | null {
  try {
    const load = createRequire(__filename);
    const loaded = load('@liaoliaots/nestjs-redis') as { RedisService: Type<RedisServiceLike> };
    return loaded.RedisService;
  } catch {
    return null;
  }
}

/** The default client of the host's Redis module; null when there is none. */
export function clientOf(service: RedisServiceLike | null | undefined): RedisClient | null {
  try {
    return service?.getOrThrow() ?? null;
  } catch {
    return null;
  }
}
