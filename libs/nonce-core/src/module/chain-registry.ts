import type { ChainRegistry, ConfiguredChain } from '../ports/chain.port';
import type { ChainId } from '../domain/submitter';

/** The chains of the options, looked up by id. */
export class StaticChainRegistry implements ChainRegistry {
  private readonly byId: ReadonlyMap<ChainId, ConfiguredChain>;

  constructor(readonly all: readonly ConfiguredChain[]) {
    this.byId = new Map(all.map((chain) => [chain.profile.chainId, chain]));
  }

  find(chainId: ChainId): ConfiguredChain | undefined {
    return this.byId.get(chainId);
  }
}
