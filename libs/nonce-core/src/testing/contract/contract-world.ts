import type { QuarantinePolicy } from '../../domain/quarantine-policy';
import { submitterParts } from '../../domain/submitter';
import type { Nonce } from '../../domain/nonce';
import type { BaselineSource } from '../../ports/baseline.port';
import type { ChainRegistry, ConfiguredChain } from '../../ports/chain.port';
import { FakeChain } from '../fake-chain';

/** The chain of the suite that is configured: hashes there can be followed. */
export const FOLLOWED_CHAIN_ID = 31_337;
/** A chain of the suite that is not configured. */
export const PLAIN_CHAIN_ID = 424_242;

/** Window of both chains, unless a submitter has its own. */
export const CONTRACT_WINDOW = 64;

/** What the engine under test must be built with. */
export interface ContractWorld {
  readonly chain: FakeChain;
  readonly chains: ChainRegistry;
  readonly baseline: BaselineSource;
  readonly maxInFlight: number;
  readonly quarantine: QuarantinePolicy;
}

export function contractWorld(): ContractWorld {
  const chain = new FakeChain({ chainId: FOLLOWED_CHAIN_ID });
  const configured: ConfiguredChain = {
    profile: {
      chainId: chain.chainId,
      confirmations: 1,
      finalityTag: 'finalized',
      reorgDepth: 2,
      pollIntervalMs: 1_000,
      maxInFlight: CONTRACT_WINDOW,
      strictNonce: false,
    },
    reader: chain,
    sender: chain,
  };
  // Long enough that nothing is released unless a test lets the time pass.
  const quarantine: QuarantinePolicy = { ms: 600_000, release: 'replacement' };
  const chains: ChainRegistry = {
    find: (chainId) => (chainId === chain.chainId ? configured : undefined),
    all: [configured],
  };
  const baseline = baselineFrom(chains, quarantine);
  return { chain, chains, baseline, maxInFlight: CONTRACT_WINDOW, quarantine };
}

function baselineFrom(chains: ChainRegistry, quarantine: QuarantinePolicy): BaselineSource {
  return {
    async resolve(submitter, startNonce) {
      const { chainId, address } = submitterParts(submitter);
      const reader = chains.find(chainId)?.reader;
      const unknown = { submitter, quarantine, chainFinalizedCount: null, pendingCount: 0 };
      if (reader === undefined) {
        const start = startNonce ?? (0 as Nonce);
        return { ...unknown, startNonce: start, chainLatestCount: null, genesisHash: null };
      }
      const latest = await reader.transactionCount(address, 'latest');
      return {
        ...unknown,
        startNonce: latest as Nonce,
        pendingCount: await reader.transactionCount(address, 'pending'),
        chainLatestCount: latest,
        genesisHash: await reader.genesisHash(),
      };
    },
  };
}
