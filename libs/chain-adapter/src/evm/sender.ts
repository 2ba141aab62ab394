import {
  isNonceError,
  type ChainId,
  type Hex,
  type SubmissionOutcome,
} from '@noncekit/nonce-core/domain';
import type { ChainSender, Logger, SubmissionReport } from '@noncekit/nonce-core/ports';
import { classifySubmission } from './classify-submission';
import type { DialectId } from './submission-dialects';
import type { RpcReply } from './json-rpc';
import type { Provider } from './provider';
import type { ProviderPool } from './provider-pool';
import { parseHash } from './rpc-values';
import { isDecisive, strongest } from './strongest-outcome';
import { transactionHash } from './transaction-hash';

const DETAIL_MAX_LENGTH = 300;

interface Evidence {
  readonly outcome: SubmissionOutcome;
  readonly detail: string | null;
  readonly lacks?: 'funds' | 'fee';
}

/**
 * Sends the same bytes to all usable providers at once: one pool that has them is enough, and the
 * same bytes can mine only once. Answers with the first decisive outcome, else with the strongest of
 * all; what proves nothing is `unknown`, never a failure.
 */
export class EvmChainSender implements ChainSender {
  constructor(
    private readonly pool: ProviderPool,
    private readonly logger: Logger,
  ) {}

  get chainId(): ChainId {
    return this.pool.chainId;
  }

  async send(rawTx: Hex): Promise<SubmissionReport> {
    const txHash = transactionHash(rawTx);
    const { outcome, detail, lacks } = await this.submit(rawTx, txHash);
    const report = { outcome, txHash, detail: detail === null ? null : shorten(detail) };
    return lacks === undefined ? report : { ...report, lacks };
  }

  private async submit(rawTx: Hex, txHash: Hex): Promise<Evidence> {
    let providers: readonly Provider[];
    try {
      providers = await this.pool.usable();
    } catch (error) {
      if (isNonceError(error)) return { outcome: 'unknown', detail: error.message };
      throw error;
    }
    const request = { method: 'eth_sendRawTransaction', params: [rawTx] };
    return firstDecisive(
      providers.map(async (provider) => {
        const [reply] = await provider.ask([request]);
        return this.read(reply, txHash, provider);
      }),
    );
  }

  private read(reply: RpcReply | undefined, txHash: Hex, provider: Provider): Evidence {
    if (reply === undefined || reply.kind === 'failed') {
      return { outcome: 'unknown', detail: `${provider.label}: ${reply?.message ?? 'no answer'}` };
    }
    if (reply.kind === 'error') {
      const { outcome, dialect } = classifySubmission(reply);
      if (dialect === null) {
        this.logger.warn('a node refused a transaction in words nobody taught us', {
          provider: provider.label,
          code: reply.code,
          message: shorten(reply.message),
        });
      }
      const lacks = lackOf(dialect);
      const evidence = { outcome, detail: reply.message };
      return lacks === null ? evidence : { ...evidence, lacks };
    }
    if (parseHash(reply.value) === txHash) return { outcome: 'accepted', detail: null };
    this.logger.error('a node answered with the hash of another transaction', {
      provider: provider.label,
      txHash,
      answered: shorten(String(reply.value)),
    });
    return { outcome: 'unknown', detail: `${provider.label}: the hash of another transaction` };
  }
}

function lackOf(dialect: DialectId | null): 'funds' | 'fee' | null {
  if (dialect === 'insufficient-funds') return 'funds';
  return dialect === 'underpriced' ? 'fee' : null;
}

/** Providers that are still busy go on by themselves; each ends within its timeout. */
function firstDecisive(submissions: readonly Promise<Evidence>[]): Promise<Evidence> {
  return new Promise((resolve, reject) => {
    const evidence: Evidence[] = [];
    const take = (piece: Evidence): void => {
      evidence.push(piece);
      if (isDecisive(piece.outcome)) resolve(piece);
      else if (evidence.length === submissions.length) resolve(strongest(evidence));
    };
    for (const submission of submissions) submission.then(take, reject);
  });
}

function shorten(text: string): string {
  return text.length > DETAIL_MAX_LENGTH ? `${text.slice(0, DETAIL_MAX_LENGTH)}…` : text;
}
