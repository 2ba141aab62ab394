import { NonceError, type ChainId, type Hex } from '@noncekit/nonce-core/domain';
import type { ChainIdentity, Provider } from './provider';

interface ProviderPoolOptions {
  readonly chainId: ChainId;
  readonly providers: readonly Provider[];
  /** After this time even a provider that never failed proves its chain again (L13). */
  readonly identityMaxAgeMs: number;
}

/**
 * The providers of one chain, none trusted alone.
 * Guarantees: a provider is handed out only after it proved chain id and genesis, and not again
 * after a failure until it proved them anew; while another one is usable, a dead provider costs
 * nobody a timeout: it is looked at in the background, ever more rarely.
 * The genesis is what most providers name at the first look; it is kept until another is adopted.
 */
export class ProviderPool {
  private genesis: Hex | null = null;

  constructor(private readonly options: ProviderPoolOptions) {}

  get chainId(): ChainId {
    return this.options.chainId;
  }

  /**
   * The providers to ask now, at least one.
   * @throws NonceError NONCE_CHAIN_UNREACHABLE, NONCE_CHAIN_MISMATCH when all serve other chains,
   * NONCE_CHAIN_RESET when they served this one before.
   */
  async usable(): Promise<readonly Provider[]> {
    const unproven = this.options.providers.filter((provider) => !this.isUsable(provider));
    await this.identify(unproven.filter((p) => !p.isFailing && !p.isForeign));
    if (this.trusted.length > 0) {
      void this.identify(this.suspects.filter((provider) => provider.isDue));
      return this.trusted;
    }
    // The last resort: nobody else can answer, so the wait costs no caller a better answer.
    await this.identify(this.suspects.filter((provider) => !provider.isForeign || provider.isDue));
    if (this.trusted.length > 0) return this.trusted;
    throw this.noneUsable();
  }

  /** @throws NonceError as `usable`. */
  async genesisHash(): Promise<Hex> {
    await this.usable();
    if (this.genesis === null) throw this.noneUsable();
    return this.genesis;
  }

  /** Serves the chain of another genesis from now on; every provider proves its chain anew. */
  adoptGenesis(genesisHash: Hex): void {
    if (this.genesis === genesisHash) return;
    this.genesis = genesisHash;
    for (const provider of this.options.providers) provider.reconsider();
  }

  /** Says which providers were asked and what is wrong with them; never shows a key. */
  unreachable(details: UnreachableDetails = {}): NonceError {
    const providers = this.options.providers.map((provider) => ({
      provider: provider.label,
      problem: details.problems?.get(provider) ?? provider.problem,
    }));
    return new NonceError('NONCE_CHAIN_UNREACHABLE', {
      ...(details.message === undefined ? {} : { message: details.message }),
      context: { chainId: this.chainId, providers },
    });
  }

  private get trusted(): readonly Provider[] {
    return this.options.providers.filter((provider) => this.isUsable(provider));
  }

  private get suspects(): readonly Provider[] {
    return this.options.providers.filter((provider) => !this.isUsable(provider));
  }

  private isUsable(provider: Provider): boolean {
    return provider.isTrusted(this.options.identityMaxAgeMs);
  }

  private async identify(providers: readonly Provider[]): Promise<void> {
    const looks = await Promise.all(
      providers.map(async (provider) => ({ provider, identity: await provider.identify() })),
    );
    const said = looks.flatMap(({ provider, identity }) =>
      identity === null ? [] : [{ provider, identity }],
    );
    if (said.length === 0) return;
    this.genesis ??= this.elect(said.map(({ identity }) => identity));
    for (const { provider, identity } of said) this.judge(provider, identity);
  }

  /** null while two different genesis blocks have equally many voices. */
  private elect(identities: readonly ChainIdentity[]): Hex | null {
    const votes = new Map<Hex, number>();
    for (const { chainId, genesisHash } of identities) {
      if (chainId === this.chainId) votes.set(genesisHash, (votes.get(genesisHash) ?? 0) + 1);
    }
    const [first, second] = [...votes].sort((a, b) => b[1] - a[1]);
    if (first === undefined || first[1] === second?.[1]) return null;
    return first[0];
  }

  private judge(provider: Provider, { chainId, genesisHash }: ChainIdentity): void {
    if (chainId !== this.chainId) {
      provider.distrust(`it serves chain ${chainId}, not ${this.chainId}`);
    } else if (this.genesis === null) {
      provider.distrust(`providers name different genesis blocks, this one ${genesisHash}`);
    } else if (genesisHash !== this.genesis) {
      provider.distrust(`its genesis is ${genesisHash}, not ${this.genesis}`);
    } else {
      provider.trust();
    }
  }

  /** The genesis of all that served our chain before; null while they name different ones. */
  private observedGenesis(): Hex | null {
    const reset = this.options.providers.filter((provider) => provider.wasReset);
    const named = new Set(reset.map((provider) => provider.namedGenesis));
    const [genesis, ...others] = named;
    return others.length === 0 && genesis !== this.genesis ? (genesis ?? null) : null;
  }

  private noneUsable(): NonceError {
    const { providers } = this.options;
    // A provider that fails may be a good one that comes back: only then is a repeat of any use.
    if (!providers.every((provider) => provider.isForeign)) return this.unreachable();
    const named = providers.map(({ label, problem }) => ({ provider: label, problem }));
    const reset = providers.some((provider) => provider.wasReset);
    const context = {
      chainId: this.chainId,
      genesisHash: this.genesis,
      ...(reset ? { observedGenesis: this.observedGenesis() } : {}),
      providers: named,
    };
    return new NonceError(reset ? 'NONCE_CHAIN_RESET' : 'NONCE_CHAIN_MISMATCH', {
      context,
      ...(reset ? {} : { message: mismatchText(named) }),
    });
  }
}

interface UnreachableDetails {
  readonly message?: string;
  /** What was wrong with each answer of this call. */
  readonly problems?: ReadonlyMap<Provider, string>;
}

function mismatchText(named: readonly { provider: string; problem: string | null }[]): string {
  const texts = named.map(({ provider, problem }) => `${provider}: ${problem ?? 'unknown'}`);
  return `An RPC provider serves another chain than configured. ${texts.join('; ')}`;
}
