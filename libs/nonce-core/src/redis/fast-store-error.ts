import { NonceError } from '../domain/errors/nonce-error';

/** First words of replies by which a server refuses a script before it has written anything. */
const REFUSED_UNRUN = new Set([
  'OOM',
  'READONLY',
  'CLUSTERDOWN',
  'MASTERDOWN',
  'NOREPLICAS',
  'MISCONF',
  'LOADING',
  'BUSY',
  'NOSCRIPT',
  'NOAUTH',
  'NOPERM',
  'MOVED',
  'ASK',
  'TRYAGAIN',
]);

/** Errors of the client that mean the command never left it. */
const NEVER_SENT = /enableOfflineQueue|Too many Cluster redirections/;

/**
 * What a failed call means for its caller. `written` is `no` when nothing can have happened, and
 * `unknown` when the script may have run: a lost connection, a missing reply, a run that broke off.
 */
export function fastStoreError(error: Error): NonceError {
  const [word = ''] = error.message.split(' ', 1);
  const unwritten = REFUSED_UNRUN.has(word) || NEVER_SENT.test(error.message);
  return new NonceError('NONCE_STORE_UNAVAILABLE', {
    cause: error,
    context: { store: 'redis', written: unwritten ? 'no' : 'unknown', reason: error.message },
  });
}
