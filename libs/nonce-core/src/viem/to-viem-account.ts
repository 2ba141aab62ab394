import type { LocalAccount, NonceManager, TransactionSerializable } from 'viem';
import type { Allocation } from '../domain/allocation';
import type { Hex } from '../domain/brand';
import { NonceError } from '../domain/errors/nonce-error';
import { parseSubmitter, type Submitter } from '../domain/submitter';
import type { NonceSource } from './current-nonces';

/** Nonces given to viem that were not signed yet; far more than one client can have open. */
const MAX_UNSIGNED = 10_000;

/**
 * A viem account that signs with nonces of this library: `signTransaction` allocates one when none
 * is given, and writes the intent before it returns the bytes, so nothing can be sent without one.
 *
 * Inside a handler of the same account it uses that handler's nonce and settles with it. Outside,
 * the worker follows the transaction by its intent. `sendTransaction` and `writeContract` ask for
 * the nonce before they estimate gas; when the estimate fails, the nonce is free again after its
 * deadline.
 */
export function toViemAccount<Account extends LocalAccount>(
  source: NonceSource,
  account: Account,
): Account {
  const unsigned = new UnsignedNonces(source);
  const signTransaction: LocalAccount['signTransaction'] = async (transaction, options) => {
    const submitter = submitterOf(account, transaction);
    const holding = await unsigned.take(submitter, transaction.nonce);
    const signed = await account.signTransaction({ ...transaction, nonce: holding.nonce }, options);
    const rawTx: Hex = signed;
    await holding.intent({ txHash: source.transactions.read(rawTx).txHash, rawTx });
    return signed;
  };
  return { ...account, signTransaction, nonceManager: unsigned.manager };
}

interface Signing {
  readonly nonce: number;
  intent(tx: { txHash: Hex; rawTx: Hex }): Promise<unknown>;
}

class UnsignedNonces {
  /** Asked by viem before it prepares the rest of the transaction. */
  readonly manager: NonceManager = {
    consume: async ({ address, chainId }) => {
      const submitter = parseSubmitter({ chainId, address });
      const context = this.source.currentContext;
      if (context?.submitter === submitter) return context.nonce;
      return (await this.allocate(submitter)).nonce;
    },
    get: async ({ address, chainId }) =>
      (await this.source.inspect({ chainId, address })).nextLocalNonce,
    increment: () => undefined,
    reset: () => undefined,
  };
  private readonly open = new Map<string, Allocation>();

  constructor(private readonly source: NonceSource) {}

  async take(submitter: Submitter, nonce: number | undefined): Promise<Signing> {
    const context = this.source.currentContext;
    if (context?.submitter === submitter) {
      const own = context.nonce;
      if (nonce !== undefined && nonce !== own) {
        const detail = `is ${nonce}, but this handler holds ${own}`;
        throw new NonceError('NONCE_VALIDATION', { errors: [{ pointer: '/nonce', detail }] });
      }
      return { nonce: own, intent: (tx) => context.intent(tx) };
    }
    const allocation = nonce === undefined ? await this.allocate(submitter) : undefined;
    const held = allocation ?? this.open.get(keyOf(submitter, nonce));
    if (held === undefined) {
      throw new NonceError('NONCE_FENCED', {
        message: 'that nonce was not given out by this account; leave the nonce out',
        context: { submitter, nonce },
      });
    }
    this.open.delete(keyOf(submitter, held.nonce));
    return { nonce: held.nonce, intent: (tx) => this.source.intent(held, tx) };
  }

  private async allocate(submitter: Submitter): Promise<Allocation> {
    const [allocation] = await this.source.allocate(submitter);
    if (allocation === undefined) throw new NonceError('NONCE_INTERNAL');
    this.open.set(keyOf(submitter, allocation.nonce), allocation);
    if (this.open.size > MAX_UNSIGNED) {
      const oldest = this.open.keys().next();
      if (oldest.done !== true) this.open.delete(oldest.value);
    }
    return allocation;
  }
}

function keyOf(submitter: Submitter, nonce: number | undefined): string {
  return `${submitter}#${String(nonce)}`;
}

function submitterOf(account: LocalAccount, transaction: TransactionSerializable): Submitter {
  const { chainId } = transaction;
  if (chainId !== undefined) return parseSubmitter({ chainId, address: account.address });
  const detail = 'is needed: without it the signature is valid on every chain';
  throw new NonceError('NONCE_VALIDATION', { errors: [{ pointer: '/chainId', detail }] });
}
