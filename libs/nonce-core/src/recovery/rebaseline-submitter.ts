import { NonceError } from '../domain/errors/nonce-error';
import { submitterParts, type Submitter } from '../domain/submitter';
import type { BaselineSource } from '../ports/baseline.port';
import type { ChainRegistry } from '../ports/chain.port';
import type { EventSink } from '../ports/events.port';
import type { RebaselineAnswer, RebaselineStore } from '../ports/rebaseline-store.port';
import { observedGenesis } from './observed-genesis';

export interface RebaselineDeps {
  readonly store: RebaselineStore;
  readonly chains: ChainRegistry;
  readonly baseline: BaselineSource;
  readonly events: EventSink;
}

export interface RebaselineReport extends RebaselineAnswer {
  readonly submitter: Submitter;
  readonly genesisHash: string | null;
}

/**
 * Starts a new chain generation of a submitter whose chain was reset: its nonces begin at the new
 * chain's count. Refused while the chain shows the remembered genesis: then nothing was reset, and
 * starting anew would issue nonces twice; and beside a ruling fast epoch.
 */
export class RebaselineSubmitter {
  constructor(private readonly deps: RebaselineDeps) {}

  /**
   * @throws NonceError NONCE_CHAIN_UNKNOWN, NONCE_CHAIN_UNREACHABLE, NONCE_CHAIN_MISMATCH,
   * NONCE_SUBMITTER_UNKNOWN, NONCE_PRECONDITION when there is nothing to re-baseline, or not now.
   */
  async rebaseline(
    submitter: Submitter,
    order: { readonly reason: string; readonly dryRun: boolean },
  ): Promise<RebaselineReport> {
    await this.followNewChain(submitter);
    const baseline = await this.deps.baseline.resolve(submitter);
    const answer = await this.deps.store.rebaseline({ baseline, ...order });
    if (answer === null) {
      throw new NonceError('NONCE_SUBMITTER_UNKNOWN', { context: { submitter } });
    }
    if (answer.verdict === 'unchanged') {
      throw new NonceError('NONCE_PRECONDITION', {
        message:
          'The chain has the genesis block that is remembered, so it was not reset: use `align`.',
        context: { submitter, genesisHash: baseline.genesisHash },
      });
    }
    if (answer.verdict === 'fast') {
      throw new NonceError('NONCE_PRECONDITION', {
        message:
          'A fast store issues for the submitter and would go on with old nonces: pin it to RELIABLE, allocate once, and repeat.',
        context: { submitter },
      });
    }
    if (answer.verdict === 'rebaselined') {
      const { reason } = order;
      this.deps.events.publish('submitter.resumed', { submitter, reason });
    }
    return { ...answer, submitter, genesisHash: baseline.genesisHash };
  }

  /** The order is what lets a reader follow another genesis; the store compares it all the same. */
  private async followNewChain(submitter: Submitter): Promise<void> {
    const { chainId } = submitterParts(submitter);
    const chain = this.deps.chains.find(chainId);
    if (chain === undefined) throw new NonceError('NONCE_CHAIN_UNKNOWN', { context: { chainId } });
    try {
      await chain.reader.genesisHash();
    } catch (error) {
      const genesis = observedGenesis(error);
      if (genesis === null || chain.reader.adoptGenesis === undefined) throw error;
      chain.reader.adoptGenesis(genesis);
    }
  }
}
