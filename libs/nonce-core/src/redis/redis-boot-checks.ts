import { isNonceError, NonceError } from '../domain/errors/nonce-error';
import type { Clock } from '../ports/clock.port';
import type { Logger } from '../ports/logger.port';
import { checkFastBoot } from './fast-boot-checks';
import { isCluster, type RedisClient } from './redis-client';

/** A Redis that is up answers within milliseconds of the connection; a restart takes a second. */
const PATIENCE_MS = 3_000;
const RETRY_MS = 50;

/**
 * Whether this Redis may hold nonces: no key of it is ever evicted, on any primary. That it writes
 * to disk is asked for, not demanded: nothing is issued twice without it. One that does not answer
 * now is not judged: commands for what is held need it not, and it is checked again later.
 * @throws NonceError NONCE_REDIS_EVICTION, or NONCE_CONFIG_INVALID for a Redis that is too old.
 */
export async function checkRedis(
  client: RedisClient,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Promise<void> {
  const endMs = clock.monotonicMs() + PATIENCE_MS;
  for (;;) {
    try {
      const { problems, warnings } = await checkFastBoot(client);
      const [problem] = problems;
      if (problem !== undefined) throw problem;
      for (const warning of warnings) logger.warn(`Redis: ${warning}`);
      return;
    } catch (error) {
      if (isNonceError(error)) throw error;
      if (clock.monotonicMs() >= endMs) {
        logger.warn('Redis does not answer: nothing is issued until it does', {
          reason: String(error),
        });
        return;
      }
      await clock.sleep(RETRY_MS);
    }
  }
}

/**
 * To be asked again now and then: settings change while Redis runs. By INFO, which providers of
 * Redis allow where they forbid CONFIG.
 * @throws NonceError NONCE_REDIS_EVICTION; any other error when Redis does not answer.
 */
export async function refuseEviction(client: RedisClient): Promise<void> {
  const nodes = isCluster(client) ? client.nodes('master') : [client];
  const memories = await Promise.all(nodes.map((node) => node.info('memory')));
  for (const memory of memories) {
    const policy = /^maxmemory_policy:([\w-]+)/m.exec(memory)?.[1];
    if (policy === undefined || policy === 'noeviction') continue;
    throw new NonceError('NONCE_REDIS_EVICTION', { context: { policy } });
  }
}
