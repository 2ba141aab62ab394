import type { Hex } from './brand';

/** How a handler ends when it says so itself; a plain return value means success. */
export type NonceOutcome<T> = NonceSuccess<T> | NonceRetry | NonceKeep | NonceFail;

class NonceSuccess<T> {
  readonly kind = 'success';
  constructor(
    readonly value: T,
    readonly txHash: Hex | undefined,
  ) {}
}

class NonceRetry {
  readonly kind = 'retry';
  constructor(readonly note: string | undefined) {}
}

class NonceKeep {
  readonly kind = 'keep';
  constructor(readonly note: string | undefined) {}
}

class NonceFail {
  readonly kind = 'fail';
  constructor(readonly reason: string) {}
}

export const NonceOutcome = {
  /** The work is done; with a hash the transaction is followed to its end. */
  success: <T>(value: T, options: { readonly txHash?: Hex } = {}): NonceOutcome<T> =>
    new NonceSuccess(value, options.txHash),
  /** Run the handler again with the same nonce, up to `maxAttempts`. */
  retry: (note?: string): NonceOutcome<never> => new NonceRetry(note),
  /** Keep the nonce reserved with a note; the caller returns with the same operationId. */
  keep: (note?: string): NonceOutcome<never> => new NonceKeep(note),
  /** Nothing was sent and nothing will be: the nonce is released. */
  fail: (reason = 'failed before sending'): NonceOutcome<never> => new NonceFail(reason),
} as const;

/** Recognises an outcome made by {@link NonceOutcome}; any other value is a plain success. */
export function isNonceOutcome(value: unknown): value is NonceOutcome<unknown> {
  return (
    value instanceof NonceSuccess ||
    value instanceof NonceRetry ||
    value instanceof NonceKeep ||
    value instanceof NonceFail
  );
}
