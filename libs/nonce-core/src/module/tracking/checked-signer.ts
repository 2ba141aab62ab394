import type { BurnSigner } from '../../ports/burn-signer.port';
import type { BumpRequest, BumpSigning, TransactionSigner } from '../../ports/signer.port';
import type { SignedTransactions } from '../../template/signed-transactions';
import { CheckedBurnSigner } from './checked-burn-signer';

/**
 * A host's signer of higher fees, held to its contract like one of burns, and further: bytes that do
 * other work than the original, or that a pool would not take in its place, are refused.
 */
export class CheckedSigner implements TransactionSigner {
  constructor(
    private readonly signer: TransactionSigner,
    private readonly transactions: SignedTransactions,
    private readonly timeoutMs?: number,
  ) {}

  async bump(request: BumpRequest): Promise<BumpSigning> {
    const asked: BurnSigner = { sign: () => this.signer.bump(request) };
    const signing = await new CheckedBurnSigner(asked, this.transactions, this.timeoutMs).sign(
      request,
    );
    if (signing.kind !== 'signed') return signing;
    const problems = request.outbid.map((old) =>
      this.transactions.problemOfBump(old, signing.rawTx),
    );
    const problem = problems.find((each) => each !== null);
    if (problem === undefined) return signing;
    return { kind: 'refused', reason: `the signer gave ${problem}` };
  }
}
