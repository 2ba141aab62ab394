import { LRUCache } from 'lru-cache';
import type { Allocation } from '../domain/allocation';
import type { Hex } from '../domain/brand';
import { NonceError } from '../domain/errors/nonce-error';
import { submitterParts } from '../domain/submitter';
import type { AllocationRef } from '../ports/engine.port';
import type { SignedTransaction, SignedTransactions } from './signed-transactions';

type Named = Pick<Allocation, 'submitter' | 'nonce'>;
/** Finds an allocation that is named by its id alone; null when there is none. */
type FindAllocation = (id: string) => Promise<Named | null>;
type IntentCheck = (
  ref: AllocationRef,
  tx: { readonly txHash: Hex; readonly rawTx?: Hex },
) => Promise<void>;

/** Whose signatures are looked at: of every intent, or of a submitter's first one in a process. */
export const SIGNER_CHECKS = ['first', 'each'] as const;
export type SignerCheck = (typeof SIGNER_CHECKS)[number];

const MAX_PROVEN_SUBMITTERS = 100_000;

/**
 * Refuses bytes that are not what their intent says, before anything is written: stored bytes are
 * sent again when their holder dies, and are followed by the hash that was said. A type of
 * transaction that nobody here can decode is held to its hash alone. Recovering a signer costs more
 * than signing, so with `first` a submitter whose key was right once is trusted with it.
 *
 * @throws NonceError NONCE_VALIDATION. An unknown id is left to the store to refuse.
 */
export function intentCheck(
  transactions: SignedTransactions,
  find: FindAllocation,
  signerCheck: SignerCheck,
): IntentCheck {
  const proven = new LRUCache<string, true>({ max: MAX_PROVEN_SUBMITTERS });
  return async (ref, { txHash, rawTx }) => {
    if (rawTx === undefined) return;
    const signed = transactions.read(rawTx);
    if (signed.txHash !== txHash.toLowerCase())
      throw invalid('/txHash', 'is not the hash of rawTx');
    if (signed.nonce === null) return;
    const named = await nameOf(ref, find);
    if (named === null) return;
    refuseOthers(signed, named);
    if (signerCheck === 'first' && proven.has(named.submitter)) return;
    const sender = await senderOf(transactions, rawTx);
    if (sender !== submitterParts(named.submitter).address) {
      throw invalid('/rawTx', `is signed by ${sender}`);
    }
    proven.set(named.submitter, true);
  };
}

async function nameOf(ref: AllocationRef, find: FindAllocation): Promise<Named | null> {
  const { submitter, nonce } = ref;
  return submitter !== undefined && nonce !== undefined ? { submitter, nonce } : find(ref.id);
}

function refuseOthers(signed: SignedTransaction, { submitter, nonce }: Named): void {
  const { chainId } = submitterParts(submitter);
  if (signed.nonce !== nonce) {
    throw invalid('/rawTx', `is signed for nonce ${String(signed.nonce)}, not ${nonce}`);
  }
  if (signed.chainId !== null && signed.chainId !== chainId) {
    throw invalid('/rawTx', `is signed for chain ${signed.chainId}, not ${chainId}`);
  }
}

async function senderOf(transactions: SignedTransactions, rawTx: Hex): Promise<Hex> {
  try {
    return await transactions.sender(rawTx);
  } catch {
    throw invalid('/rawTx', 'has no valid signature');
  }
}

function invalid(pointer: string, detail: string): NonceError {
  return new NonceError('NONCE_VALIDATION', { errors: [{ pointer, detail }] });
}
