import type { Cluster } from 'ioredis';
import { isNonceError, NonceError } from '../domain/errors/nonce-error';
import type { Clock } from '../ports/clock.port';
import type { Logger } from '../ports/logger.port';
import type { RedisClient } from './redis-client';

/** A Redis that is up answers within milliseconds of the connection; a restart takes a second. */
const PATIENCE_MS = 3_000;
const RETRY_MS = 50;

const PERSISTENCE_FIX =
  'set `appendonly yes`, or every restart of Redis costs each submitter a new epoch and what was not flushed yet';

/**
 * Whether this Redis may hold nonces: no key of it is ever evicted, on any primary. That it writes
 * to disk is asked for, not demanded: nothing is issued twice without it. One that does not answer
 * now is not judged: commands for what is held need it not, and it is checked again later.
 * @throws NonceError NONCE_REDIS_EVICTION.
 */
export async function checkRedis(
  client: RedisClient,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Promise<void> {
  const endMs = clock.monotonicMs() + PATIENCE_MS;
  for (;;) {
    try {
      if (!(await refuseEviction(client)).persistent) {
        logger.warn('Redis does not write to its disk what it is told', { fix: PERSISTENCE_FIX });
      }
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

interface Settings {
  readonly policy: string | null;
  readonly persistent: boolean;
}

/**
 * To be asked again now and then: settings change while Redis runs.
 * @throws NonceError NONCE_REDIS_EVICTION; any other error when Redis does not answer.
 */
export async function refuseEviction(client: RedisClient): Promise<{ persistent: boolean }> {
  const nodes = await settingsOf(client);
  const evicting = nodes.find(({ policy }) => policy !== null && policy !== 'noeviction');
  if (evicting !== undefined) {
    throw new NonceError('NONCE_REDIS_EVICTION', { context: { policy: evicting.policy } });
  }
  return { persistent: nodes.every(({ persistent }) => persistent) };
}

/** By INFO, which providers of Redis allow where they forbid CONFIG. */
async function settingsOf(client: RedisClient): Promise<readonly Settings[]> {
  const nodes = isCluster(client) ? client.nodes('master') : [client];
  if (nodes.length === 0) throw new Error('no primary of the cluster is known yet');
  return Promise.all(
    nodes.map(async (node) => {
      const [memory, disk] = await Promise.all([node.info('memory'), node.info('persistence')]);
      return {
        policy: /^maxmemory_policy:([\w-]+)/m.exec(memory)?.[1] ?? null,
        persistent: /^aof_enabled:1/m.test(disk),
      };
    }),
  );
}

/** Asked by flag, not by class: the host may carry its own copy of ioredis. */
function isCluster(client: RedisClient): client is Cluster {
  return client.isCluster;
}
