import type { SubmitterInput } from '../domain/submitter';
import type { Allocation, Exposure } from '../domain/allocation';
import type { SubmitterView } from '../domain/submitter-view';
import type { Hex } from '../domain/brand';
import type { NonceContext } from '../template/nonce-context';
import type { SignedTransactions } from '../template/signed-transactions';

/** The part of NonceComponent that wrapped viem clients use. */
export interface NonceSource {
  readonly currentContext: NonceContext | undefined;
  readonly transactions: SignedTransactions;
  allocate(
    submitter: SubmitterInput,
    options?: { readonly exposure?: Exposure },
  ): Promise<Allocation[]>;
  intent(ref: Allocation, tx: { txHash: Hex; rawTx?: Hex }): Promise<Allocation>;
  inspect(submitter: SubmitterInput): Promise<SubmitterView>;
}
