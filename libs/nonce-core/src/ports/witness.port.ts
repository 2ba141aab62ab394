import type { Epoch } from '../domain/epoch';
import type { Submitter } from '../domain/submitter';

/** One uninterrupted run of one database: another value after a restart, restore or failover. */
export interface ServerStart {
  /** pg_control_system(): differs between clusters that were never the same. */
  readonly systemId: string;
  /** pg_postmaster_start_time(), microseconds since 1970 as decimal text. */
  readonly startedAt: string;
}

/** "At least this epoch and ceiling were granted once": kept outside the database. */
export interface Witness {
  readonly submitter: Submitter;
  readonly epoch: Epoch;
  readonly ceiling: number;
}

/**
 * A place outside Postgres that remembers epochs and ceilings. Written, durably, before a raised
 * ceiling is used; an older fact never replaces a newer one.
 */
export interface WitnessStore {
  readonly name: string;
  /** Resolves once it is kept. @throws Error when it cannot be kept. */
  keep(server: ServerStart, witnesses: readonly Witness[]): Promise<void>;
  /** Everything kept; null when it cannot be read, empty when nothing was ever kept. */
  read(): Promise<{
    readonly server: ServerStart | null;
    readonly witnesses: readonly Witness[];
  } | null>;
}

/**
 * Guards the first use of a raised ceiling and of a restarted database.
 * `keep` is called by an engine between Postgres's answer and the fast store.
 */
export interface Continuity {
  /**
   * @throws NonceError NONCE_STORE_UNAVAILABLE when no witness could be kept: then the ceiling must
   * not be used; NONCE_RECOVERY_HOLD while the database is not trusted.
   */
  keep(witnesses: readonly Witness[]): Promise<void>;
}
