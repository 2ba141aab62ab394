import type { Brand } from './brand';
import { NonceError } from './errors/nonce-error';

/** Transaction sequence number of one sending account. */
export type Nonce = Brand<number, 'Nonce'>;

/**
 * Highest nonce that is issued: 2^53 - 2, the largest integer whose successor is still exact in a
 * double. EIP-2681 allows up to 2^64 - 2; JSON, Lua and JavaScript cannot carry those exactly.
 */
export const MAX_NONCE = Number.MAX_SAFE_INTEGER - 1;

/** @throws NonceError `NONCE_OUT_OF_RANGE` unless `value` is an integer in [0, 2^53 - 2]. */
export function toNonce(value: number): Nonce {
  if (!Number.isSafeInteger(value) || value < 0 || value > MAX_NONCE) {
    throw new NonceError('NONCE_OUT_OF_RANGE', { context: { value: String(value) } });
  }
  return value as Nonce;
}
