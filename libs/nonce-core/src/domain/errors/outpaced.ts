import { NonceError } from './nonce-error';

/**
 * How a refusal by speed reads: what was written for this call, if anything, is over or never was. A
 * database whose locks were not to be had in time says so too.
 */
export const OUTPACED = {
  code: 'NONCE_STORE_UNAVAILABLE',
  context: { written: 'no', contended: true },
} as const;

/** Others were faster each time, and nothing is held for this call: it may be asked again. */
export function outpaced(): NonceError {
  const { code, context } = OUTPACED;
  return new NonceError(code, { context });
}

/** Whether the call may be made anew at once, with other owner tokens. */
export function isOutpaced({ code, context }: Pick<NonceError, 'code' | 'context'>): boolean {
  return code === OUTPACED.code && context['contended'] === true;
}
