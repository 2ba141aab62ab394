import { types } from 'node:util';
import { NonceError } from '../domain/errors/nonce-error';

interface Unavailable {
  readonly code: RegExp;
  readonly written: 'no' | 'unknown';
  /** Others were in the way for too long: the same call may be made anew at once. */
  readonly contended?: true;
}

/** SQLSTATE classes and codes that say "not now", and whether anything may have been committed. */
const UNAVAILABLE: readonly Unavailable[] = [
  { code: /^08/, written: 'unknown' }, // connection exception
  { code: /^57P0[1-5]$/, written: 'unknown' }, // shutdown, crash, cannot connect now
  { code: /^57014$/, written: 'no', contended: true }, // statement timeout
  { code: /^55P03$/, written: 'no', contended: true }, // lock timeout
  { code: /^40(001|P01)$/, written: 'no', contended: true }, // serialization failure, deadlock
  { code: /^53/, written: 'no' }, // out of connections, memory or disk
  { code: /^NK001$/, written: 'no' }, // another run of the server than the one that was verified
  { code: /^25006$/, written: 'no' }, // read-only: a standby, or a failover in progress
  { code: /^E(CONN|PIPE|HOST|NET|TIMEDOUT|AI_AGAIN|NOTFOUND)/, written: 'unknown' },
];

/** Texts of pg itself, which carry no code. */
const UNAVAILABLE_TEXT =
  /connection terminated|query read timeout|timeout exceeded when trying to connect|client has encountered a connection error|connection ended unexpectedly|cannot use a pool after calling end/i;

/**
 * Turns "the database does not answer" into NONCE_STORE_UNAVAILABLE; leaves every other error as it
 * is. `mayRepeat` is false where the statement belongs to a transaction that has failed with it.
 */
export function toStoreError(error: unknown, mayRepeat = true): unknown {
  // By nature and not by class: errors of sockets may come from another realm than this module.
  if (!types.isNativeError(error) || error instanceof NonceError) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const known = UNAVAILABLE.find((entry) => entry.code.test(code));
  if (known === undefined && !UNAVAILABLE_TEXT.test(error.message)) return error;
  const contended = mayRepeat && known?.contended === true ? { contended: true } : {};
  return new NonceError('NONCE_STORE_UNAVAILABLE', {
    cause: error,
    context: {
      ...{ store: 'postgres', sqlState: code, written: known?.written ?? 'unknown' },
      ...contended,
    },
  });
}
