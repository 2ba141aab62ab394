import { NonceError } from '../../domain/errors/nonce-error';

/** Whatever failed on the way to an epoch, the callers that wait for it were granted nothing. */
export function nothingGranted(error: unknown): unknown {
  if (!(error instanceof NonceError) || error.code !== 'NONCE_STORE_UNAVAILABLE') return error;
  return new NonceError(error.code, {
    message: error.message,
    cause: error,
    context: { ...error.context, written: 'no' },
  });
}
