import type { Allocation } from '../domain/allocation';
import type { Hex } from '../domain/brand';
import { NonceOutcomeUnknownError } from '../domain/errors/handler-errors';
import { isNonceError, NonceError } from '../domain/errors/nonce-error';
import { submitterParts } from '../domain/submitter';
import type { ChainRegistry } from '../ports/chain.port';
import type { Clock } from '../ports/clock.port';
import type { NonceEngine } from '../ports/engine.port';
import type { ExposureRecord } from './exposure-record';
import type { SignedTransactions } from './signed-transactions';

/** Requests of one intent while the store does not answer; the engine repeats each on its own. */
const INTENT_REQUESTS = 3;
const INTENT_BACKOFF_MS = 200;

export interface IntentPorts {
  readonly engine: Pick<NonceEngine, 'intent'>;
  readonly chains: ChainRegistry;
  readonly transactions: SignedTransactions;
  readonly clock: Clock;
}

/** Writes intents of one allocation and records, before each request, that bytes may leave. */
export class IntentWriter {
  constructor(
    private readonly ports: IntentPorts,
    private readonly allocation: Allocation,
    private readonly record: ExposureRecord,
    private readonly reservationLost: (reason: NonceError) => void,
  ) {}

  async write(tx: { txHash: Hex; rawTx?: Hex }): Promise<void> {
    const hash = tx.txHash.toLowerCase() as Hex;
    this.record.intentAsked(hash);
    for (let request = 1; ; request += 1) {
      try {
        await this.ports.engine.intent(this.allocation, tx);
        this.record.intentWritten(hash);
        return;
      } catch (error) {
        const unanswered = isNonceError(error, 'NONCE_STORE_UNAVAILABLE');
        if (!unanswered && request === 1) this.refused(hash, error);
        if (!unanswered) throw error;
        if (request >= INTENT_REQUESTS) throw this.outcomeUnknown(error);
        await this.ports.clock.sleep(INTENT_BACKOFF_MS * 2 ** (request - 1));
      }
    }
  }

  async writeAndSend(rawTx: Hex): Promise<Hex> {
    const { chainId } = submitterParts(this.allocation.submitter);
    const chain = this.ports.chains.find(chainId);
    if (chain === undefined) throw new NonceError('NONCE_CHAIN_UNKNOWN', { context: { chainId } });
    const signed = this.ports.transactions.read(rawTx);
    if (signed.nonce !== null && signed.nonce !== this.allocation.nonce) {
      const detail = `is signed for nonce ${signed.nonce}, not ${this.allocation.nonce}`;
      throw new NonceError('NONCE_VALIDATION', { errors: [{ pointer: '/rawTx', detail }] });
    }
    await this.write({ txHash: signed.txHash, rawTx });
    const report = await chain.sender.send(rawTx);
    if (report.outcome !== 'accepted' && report.outcome !== 'already-known') {
      throw this.outcomeUnknown(new Error(`${report.outcome}: ${report.detail ?? 'no details'}`));
    }
    this.record.acceptedHash = signed.txHash;
    return signed.txHash;
  }

  /** Nothing was written, and nothing was out before: the grant is no more than a number now. */
  private refused(hash: Hex, error: unknown): void {
    this.record.intentRefused(hash);
    if (isNonceError(error) && meansLost(error) && this.record.intents === 'none') {
      this.record.lost = error;
      this.reservationLost(error);
    }
  }

  private outcomeUnknown(cause: unknown): NonceOutcomeUnknownError {
    return new NonceOutcomeUnknownError(this.allocation, this.record.hashes, cause);
  }
}

/** Another holder, or somebody outside used the nonce on the chain. */
function meansLost(error: NonceError): boolean {
  if (error.code === 'NONCE_FENCED') return true;
  return error.code === 'NONCE_ALLOCATION_CLOSED' && error.context['stage'] === 'CONSUMED_EXTERNAL';
}
