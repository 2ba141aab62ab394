import { NonceError } from '../../domain/errors/nonce-error';
import type { BurnSigner } from '../../ports/burn-signer.port';
import type { SignedTransactions } from '../../template/signed-transactions';
import type { ResolvedNonceOptions } from '../options';
import { CheckedBurnSigner } from './checked-burn-signer';

const MISSING =
  'burn needs a signer where periodic work runs: give burnSigner ' +
  '(the worker takes NONCE_BURN_KEYS_FILE), or choose replacement or hold';

/**
 * What the periodic work closes quarantined nonces with; null when it cannot. A process that only
 * issues nonces needs none, and should have no keys.
 * @throws NonceError NONCE_CONFIG_INVALID when burns are the policy and nobody can sign them.
 */
export function burnSignerOf(
  { burnSigner, quarantine }: Pick<ResolvedNonceOptions, 'burnSigner' | 'quarantine'>,
  transactions: SignedTransactions,
): BurnSigner | null {
  if (burnSigner !== null) return new CheckedBurnSigner(burnSigner, transactions);
  if (quarantine.release !== 'burn') return null;
  const errors = [{ pointer: '/quarantine/release', detail: MISSING }];
  throw new NonceError('NONCE_CONFIG_INVALID', { errors });
}
