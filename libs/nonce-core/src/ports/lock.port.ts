/** A lock that only lowers contention. Losing it, or never having it, is never unsafe (I-23). */
export interface Lock {
  /** Deletes the lock if it is still ours. Never rejects. */
  release(): Promise<void>;
}

export interface LockCoordinator {
  /**
   * Waits a bounded time for a single key; of several it takes those that are free and waits for
   * none, because two nodes that wait while they hold could wait for each other. Never rejects:
   * what could not be had is not held, and is counted in `nonce_lock_skipped_total`.
   */
  acquire(keys: readonly string[]): Promise<Lock>;
}
