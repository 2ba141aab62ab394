import { NonceError } from '../domain/errors/nonce-error';

/** Others were faster each time, and nothing was written for this call: it may be asked again. */
export function outpaced(): NonceError {
  return new NonceError('NONCE_STORE_UNAVAILABLE', {
    context: { written: 'no', contended: true },
  });
}
