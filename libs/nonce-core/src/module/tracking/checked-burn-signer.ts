import type { SignedTransactions } from '../../template/signed-transactions';
import type { BurnRequest, BurnSigner, BurnSigning } from '../../ports/burn-signer.port';

/** Signing asks a node for fees, perhaps a key service for a signature: each takes well below this. */
const SIGNING_TIMEOUT_MS = 10_000;

/**
 * A host's signer, held to its contract: bytes of another nonce, chain or account are refused before
 * they are recorded, a failure is no answer, and nobody waits for it without end.
 */
export class CheckedBurnSigner implements BurnSigner {
  constructor(
    private readonly signer: BurnSigner,
    private readonly transactions: SignedTransactions,
    private readonly timeoutMs: number = SIGNING_TIMEOUT_MS,
  ) {}

  async sign(request: BurnRequest): Promise<BurnSigning> {
    try {
      const signing = await this.bounded(request);
      if (signing.kind !== 'signed') return signing;
      const wrong = await this.problemOf(request, signing);
      return wrong === null ? signing : { kind: 'refused', reason: `the signer gave ${wrong}` };
    } catch (error) {
      return { kind: 'unavailable', cause: error instanceof Error ? error.message : String(error) };
    }
  }

  private async bounded(request: BurnRequest): Promise<BurnSigning> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<BurnSigning>((resolve) => {
      const cause = `the signer gave no answer within ${String(this.timeoutMs)} ms`;
      timer = setTimeout(resolve, this.timeoutMs, { kind: 'unavailable', cause });
    });
    try {
      return await Promise.race([this.signer.sign(request), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  private async problemOf(
    { chainId, address, nonce }: BurnRequest,
    { rawTx, txHash }: Extract<BurnSigning, { kind: 'signed' }>,
  ): Promise<string | null> {
    const signed = this.transactions.read(rawTx);
    if (signed.txHash !== txHash.toLowerCase()) return 'bytes of another hash';
    if (signed.nonce !== nonce) return `bytes of nonce ${String(signed.nonce)}`;
    if (signed.chainId !== null && signed.chainId !== chainId) {
      return `bytes of chain ${String(signed.chainId)}`;
    }
    const sender = await this.transactions.sender(rawTx);
    return sender === address ? null : `bytes of account ${sender}`;
  }
}
