import type { Hex } from '../domain/brand';
import { isNonceError } from '../domain/errors/nonce-error';

/** The genesis that a reader met instead of the one it knew; null for every other error. */
export function observedGenesis(error: unknown): Hex | null {
  if (!isNonceError(error, 'NONCE_CHAIN_RESET')) return null;
  const observed = error.context['observedGenesis'];
  return typeof observed === 'string' ? (observed as Hex) : null;
}
