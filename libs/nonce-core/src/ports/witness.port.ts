import type { ServerStart, Witness, WitnessedFacts } from '../domain/witness';

export type { ServerStart, Witness, WitnessedFacts };

/**
 * A place outside Postgres that remembers epochs and ceilings. Written, durably, before a raised
 * ceiling is used; an older fact never replaces a newer one.
 */
export interface WitnessStore {
  readonly name: string;
  /**
   * Resolves once it is kept; `forgetful` when the place knew no server before, so that what was
   * told to it earlier should be told again. @throws Error when it cannot be kept.
   */
  keep(server: ServerStart, witnesses: readonly Witness[]): Promise<'kept' | 'forgetful'>;
  /** Everything kept; null when it cannot be read, empty when nothing was ever kept. */
  read(): Promise<WitnessedFacts | null>;
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

/** Tells hot statements which run of the database was verified (H-9). */
export interface ServerGuard {
  /** Start of the verified run; fits no run while none is. */
  expectedStart(): string;
  /**
   * A statement was refused because another run answered. Resolves once it may be repeated.
   * @throws NonceError NONCE_RECOVERY_HOLD, NONCE_STORE_UNAVAILABLE.
   */
  serverChanged(): Promise<void>;
}
