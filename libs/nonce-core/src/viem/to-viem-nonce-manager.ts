import type { NonceManager } from 'viem';
import { isNonceError } from '../domain/errors/nonce-error';
import { parseSubmitter } from '../domain/submitter';
import type { NonceSource } from './current-nonces';

/**
 * A nonce manager for viem accounts: `consume` allocates, or takes the nonce of the handler that
 * runs for the same account.
 *
 * Limits, because viem never tells a nonce manager what became of a nonce: an allocation made here
 * is `assumed` exposed, so one that was not sent is settled by the chain or replaced after its
 * deadline and quarantine, never at once; `increment` and `reset` do nothing; `get` only shows what
 * comes next, for display. `toViemAccount` has none of these limits.
 */
export function toViemNonceManager(source: NonceSource): NonceManager {
  return {
    async consume({ address, chainId }) {
      const submitter = parseSubmitter({ chainId, address });
      const context = source.currentContext;
      if (context?.submitter === submitter) return context.nonce;
      const [allocation] = await source.allocate(submitter, { exposure: 'assumed' });
      if (allocation === undefined) throw new Error('no nonce was granted');
      return allocation.nonce;
    },
    async get({ address, chainId }) {
      try {
        return (await source.inspect({ chainId, address })).nextLocalNonce;
      } catch (error) {
        if (isNonceError(error, 'NONCE_SUBMITTER_UNKNOWN')) return 0;
        throw error;
      }
    },
    increment: () => undefined,
    reset: () => undefined,
  };
}
