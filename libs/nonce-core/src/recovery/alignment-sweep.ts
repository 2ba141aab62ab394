import { isNonceError } from '../domain/errors/nonce-error';
import type { ChainId, Submitter } from '../domain/submitter';
import type { ChainRegistry } from '../ports/chain.port';
import type { Logger } from '../ports/logger.port';
import type { SubmitterStore } from '../ports/submitter-store.port';
import type { AlignWithChain } from './align-with-chain';

export interface AlignmentSweepSettings {
  /** Age at which an alignment counts as old. */
  readonly intervalMs: number;
  /** Submitters aligned per chain and tick. */
  readonly batchMax: number;
  /** Alignments of one chain that run at the same time. */
  readonly concurrency: number;
}

export const ALIGNMENT_SWEEP_DEFAULTS = { batchMax: 200, concurrency: 8 } as const;

export interface AlignmentSweepDeps {
  readonly submitters: Pick<SubmitterStore, 'dueForAlignment'>;
  readonly alignment: Pick<AlignWithChain, 'alignWithChain'>;
  readonly chains: ChainRegistry;
  readonly logger: Logger;
}

/**
 * Aligns submitters whose last alignment is old, the least recent first. Chains are swept apart, so
 * that one that does not answer keeps no other waiting. Two workers may align the same submitter at
 * once: it costs requests and changes nothing.
 */
export class AlignmentSweep {
  constructor(
    private readonly deps: AlignmentSweepDeps,
    private readonly settings: AlignmentSweepSettings,
  ) {}

  /** @returns how many submitters were aligned. */
  async tick(signal?: AbortSignal): Promise<number> {
    const counts = await Promise.all(
      this.deps.chains.all.map((chain) => this.sweepChain(chain.profile.chainId, signal)),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  private async sweepChain(chainId: ChainId, signal?: AbortSignal): Promise<number> {
    const due = await this.deps.submitters.dueForAlignment({
      chainIds: [chainId],
      olderThanMs: this.settings.intervalMs,
      limit: this.settings.batchMax,
    });
    const waiting = [...due];
    let aligned = 0;
    const worker = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        if (signal?.aborted === true) return;
        if (!(await this.align(next))) return;
        aligned += 1;
      }
    };
    await Promise.all(Array.from({ length: this.settings.concurrency }, worker));
    return aligned;
  }

  /** False when going on with this chain is of no use now. */
  private async align(submitter: Submitter): Promise<boolean> {
    try {
      await this.deps.alignment.alignWithChain(submitter);
      return true;
    } catch (error) {
      if (!isNonceError(error)) throw error;
      this.deps.logger.warn('alignment failed', { submitter, code: error.code });
      return error.code !== 'NONCE_CHAIN_UNREACHABLE';
    }
  }
}
