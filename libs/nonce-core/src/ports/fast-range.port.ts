import type { Nonce } from '../domain/nonce';

/** What limits fresh nonces beside the ceiling; copied from Postgres, the authority. */
export interface FastLimits {
  /** Known chain count; nothing below it is issued. 0 without a chain. */
  readonly floor: number;
  /** First fresh nonce that the window forbids; null = the window counts reservations instead. */
  readonly windowEnd: number | null;
  /** Most reservations at once where no chain count is known; 0 = no limit. */
  readonly maxReserved: number;
  /** Reservations that Postgres knows and the fast store may have forgotten (INTENT and later). */
  readonly reservedElsewhere: number;
  readonly paused: boolean;
}

/** A nonce of an earlier holder handed to the fast store, to be issued before fresh ones. */
export interface FreeNonce {
  readonly nonce: Nonce;
  /** May have been sent by an earlier holder: issued as a replacement only. */
  readonly tainted: boolean;
}

/** Ceiling and limits were taken, the free nonces were not: another loan reached the store last. */
export interface FastRefillBehind {
  readonly kind: 'behind';
  readonly loan: number;
}
