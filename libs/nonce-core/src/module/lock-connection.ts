import type { Clock } from '../ports/clock.port';
import type { Lock, LockCoordinator } from '../ports/lock.port';
import type { Logger } from '../ports/logger.port';
import type { Metrics } from '../ports/metrics.port';
import { duplicateForLocks, type RedisClient } from '../redis/redis-client';
import { RedisLockCoordinator } from '../redis/redis-lock-coordinator';
import type { ResolvedNonceOptions } from './options';

/** The lock of installations without Redis: Postgres's row locks do all the work. */
const NO_LOCKS: LockCoordinator = {
  acquire: (): Promise<Lock> => Promise.resolve({ release: () => Promise.resolve() }),
};

export interface LockPorts {
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Locks on a connection of their own, which ends with this object. */
export class LockConnection {
  readonly locks: LockCoordinator;
  /** The connection that is used; null without Redis. */
  readonly client: RedisClient | null;

  constructor(hostClient: RedisClient | null, ports: LockPorts, options: ResolvedNonceOptions) {
    this.client = hostClient === null ? null : duplicateForLocks(hostClient);
    this.locks =
      this.client === null
        ? NO_LOCKS
        : new RedisLockCoordinator(this.client, ports, {
            keyPrefix: options.redis.keyPrefix,
            ...options.lock,
          });
  }

  close(): void {
    this.client?.disconnect();
  }
}
