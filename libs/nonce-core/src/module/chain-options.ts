import { knownChain } from '../domain/known-chains';
import { toChainId } from '../domain/submitter';
import type { ChainProfile, ConfiguredChain } from '../ports/chain.port';
import { OPTION_DEFAULTS } from './option-defaults';
import type { OptionProblems } from './option-problems';

interface ChainSettings {
  readonly confirmations?: number;
  readonly finalityTag?: ChainProfile['finalityTag'];
  readonly reorgDepth?: number;
  readonly pollIntervalMs?: number;
  readonly strictNonce?: boolean;
  readonly maxInFlight?: number;
}

export type ChainClient = Pick<ConfiguredChain, 'reader' | 'sender' | 'heads'>;

interface ChainUrls {
  /** http or https, at least one. */
  readonly rpcUrls: readonly string[];
  /** ws or wss: they announce new heads, which are then read at once; polling goes on beside them. */
  readonly wsUrls?: readonly string[];
}

/** Providers for `@noncekit/chain-adapter`, or a client of the host's own. */
export type ChainOptions = ChainSettings & (ChainUrls | { readonly client: ChainClient });

export interface ResolvedChain {
  readonly profile: ChainProfile;
  readonly source:
    | ({ readonly kind: 'rpc' } & Required<ChainUrls>)
    | { readonly kind: 'client'; readonly client: ChainClient };
}

const TEN_MINUTES_MS = 600_000;

interface ChainEntry {
  readonly id: string;
  readonly chain: ChainOptions;
  readonly maxInFlight: number;
  readonly problems: OptionProblems;
}

/** With the chain's own defaults where it is a known one. */
export function resolveChain({ id, chain, maxInFlight, problems }: ChainEntry): ResolvedChain {
  const at = `/chains/${id}`;
  const chainId = Number(id);
  const settings = { ...OPTION_DEFAULTS.chain, ...knownChain(chainId), maxInFlight, ...chain };
  problems.integer(at, chainId, [1, Number.MAX_SAFE_INTEGER]);
  problems.integer(`${at}/confirmations`, settings.confirmations, [0, 10_000]);
  problems.oneOf(`${at}/finalityTag`, settings.finalityTag, ['finalized', 'safe', 'none']);
  problems.integer(`${at}/reorgDepth`, settings.reorgDepth, [1, 100_000]);
  problems.integer(`${at}/pollIntervalMs`, settings.pollIntervalMs, [50, TEN_MINUTES_MS]);
  problems.integer(`${at}/maxInFlight`, settings.maxInFlight, [0, 1_000_000]);
  const { confirmations, finalityTag, reorgDepth, pollIntervalMs, strictNonce } = settings;
  const profile: ChainProfile = {
    chainId: toChainId(problems.has(at) ? 1 : chainId),
    confirmations,
    finalityTag,
    reorgDepth,
    pollIntervalMs,
    strictNonce,
    maxInFlight: settings.maxInFlight,
  };
  if ('client' in chain) return { profile, source: { kind: 'client', client: chain.client } };
  if (chain.rpcUrls.length === 0) problems.add(`${at}/rpcUrls`, 'needs at least one URL');
  const { rpcUrls, wsUrls = [] } = chain;
  return { profile, source: { kind: 'rpc', rpcUrls, wsUrls } };
}
