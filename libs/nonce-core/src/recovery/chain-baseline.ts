import { NonceError } from '../domain/errors/nonce-error';
import { toNonce, type Nonce } from '../domain/nonce';
import type { QuarantinePolicy } from '../domain/quarantine-policy';
import { submitterParts, type Submitter } from '../domain/submitter';
import type { SubmitterBaseline } from '../ports/allocation-store.port';
import type { BaselineSource } from '../ports/baseline.port';
import type { ChainRegistry, ConfiguredChain } from '../ports/chain.port';

type Baseline = Omit<SubmitterBaseline, 'engine'>;

/**
 * Where a submitter starts that was never seen.
 *
 * On a configured chain: at the account's latest count; what a pool already holds above it starts
 * in quarantine. A `startNonce` is ignored there, because the chain knows better.
 * On another chain: at `startNonce`. Without one, at 0 when no chain is configured at all, because
 * then the host chose to work without; when others are configured the chain id is more likely a
 * mistake, and starting at 0 would issue nonces that were used long ago: NONCE_CHAIN_UNKNOWN.
 */
export class ChainBaseline implements BaselineSource {
  constructor(
    private readonly chains: ChainRegistry,
    private readonly quarantine: QuarantinePolicy,
  ) {}

  async resolve(submitter: Submitter, startNonce?: Nonce): Promise<Baseline> {
    const { chainId } = submitterParts(submitter);
    const chain = this.chains.find(chainId);
    if (chain !== undefined) return this.fromChain(submitter, chain);
    if (startNonce === undefined && this.chains.all.length > 0) {
      const configured = this.chains.all.map((known) => known.profile.chainId);
      throw new NonceError('NONCE_CHAIN_UNKNOWN', { context: { chainId, configured } });
    }
    const start = startNonce ?? toNonce(0);
    return {
      submitter,
      startNonce: start,
      pendingCount: start,
      chainLatestCount: null,
      chainFinalizedCount: null,
      genesisHash: null,
      quarantine: this.quarantine,
    };
  }

  private async fromChain(
    submitter: Submitter,
    { reader, profile }: ConfiguredChain,
  ): Promise<Baseline> {
    const { address } = submitterParts(submitter);
    const tag = profile.finalityTag;
    const [genesisHash, latest, pending, tagged, delegated] = await Promise.all([
      reader.genesisHash(),
      reader.transactionCount(address, 'latest'),
      reader.transactionCount(address, 'pending'),
      tag === 'none' ? null : reader.block(tag),
      reader.isDelegated?.(address) ?? false,
    ]);
    const moves = tag !== 'none' && tagged !== null && tagged.number > 0;
    const finalized = moves ? await reader.transactionCount(address, tag) : null;
    return {
      submitter,
      startNonce: toNonce(latest),
      pendingCount: Math.max(latest, pending),
      chainLatestCount: latest,
      // Another provider may be ahead of the one that told the latest count.
      chainFinalizedCount: finalized === null ? null : Math.min(finalized, latest),
      genesisHash,
      quarantine: this.quarantine,
      ...(delegated ? { delegated } : {}),
    };
  }
}
