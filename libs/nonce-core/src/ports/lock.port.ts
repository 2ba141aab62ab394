/** A lock that only lowers contention. Losing it, or never having it, is never unsafe (I-23). */
export interface Lock {
  /** Deletes the lock if it is still ours. Never rejects. */
  release(): Promise<void>;
}

export interface LockCoordinator {
  /**
   * Waits a bounded time for all keys. Never rejects: when Redis is away, or the wait is over, it
   * resolves with a lock that holds nothing, and counts that in `nonce_lock_skipped_total`.
   */
  acquire(keys: readonly string[]): Promise<Lock>;
}
