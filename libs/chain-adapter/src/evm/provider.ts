import type { Hex } from '@noncekit/nonce-core/domain';
import type { Logger } from '@noncekit/nonce-core/ports';
import { failed, type RpcFailed, type RpcReply, type RpcRequest } from './json-rpc';
import type { RpcEndpoint } from './rpc-endpoint';
import { parseHash, parseQuantity } from './rpc-values';
import { isRecord } from './json-rpc';

/** After the first failure; doubles with each further one. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;
/** A foreign provider may be mended behind the same URL. */
const FOREIGN_PAUSE_MS = 10_000;

export interface ChainIdentity {
  readonly chainId: number;
  readonly genesisHash: Hex;
}

const IDENTITY_REQUESTS: readonly RpcRequest[] = [
  { method: 'eth_chainId', params: [] },
  { method: 'eth_getBlockByNumber', params: ['0x0', false] },
];

/**
 *   unchecked   its chain was not proven, or not since its last failure
 *   trusted     it proved to serve our chain
 *   foreign     it serves another chain: never asked for anything but its identity
 */
type Standing = 'unchecked' | 'trusted' | 'foreign';

interface ProviderOptions {
  readonly endpoint: RpcEndpoint;
  readonly logger: Logger;
  readonly nowMs: () => number;
}

/** One provider and what is known about it: which chain it serves, and whether it answers. */
export class Provider {
  private standing: Standing = 'unchecked';
  private failures = 0;
  private checkedAtMs = Number.NEGATIVE_INFINITY;
  private nextCheckAtMs = Number.NEGATIVE_INFINITY;
  private wasTrusted = false;
  private genesis: Hex | null = null;
  private trouble: string | null = null;
  private check: Promise<ChainIdentity | null> | undefined;

  constructor(private readonly options: ProviderOptions) {}

  get label(): string {
    return this.options.endpoint.label;
  }

  /** What is wrong with it, for errors and logs; null while nothing is. */
  get problem(): string | null {
    return this.trouble;
  }

  get isForeign(): boolean {
    return this.standing === 'foreign';
  }

  /** The genesis it named last; null before it named one. */
  get namedGenesis(): Hex | null {
    return this.genesis;
  }

  /** It served our chain once and serves another one now: the chain was reset. */
  get wasReset(): boolean {
    return this.isForeign && this.wasTrusted;
  }

  /** Its last request failed, and it has not answered one since. */
  get isFailing(): boolean {
    return this.failures > 0;
  }

  isTrusted(identityMaxAgeMs: number): boolean {
    return (
      this.standing === 'trusted' && this.options.nowMs() - this.checkedAtMs < identityMaxAgeMs
    );
  }

  /** Whether it is time to look again at a provider that failed or is foreign. */
  get isDue(): boolean {
    return this.options.nowMs() >= this.nextCheckAtMs;
  }

  /**
   * One reply per request. Any answer of the node counts as good health, errors too: nonce-class
   * answers say something about a transaction and nothing about the provider (L12).
   */
  async ask(requests: readonly RpcRequest[]): Promise<readonly RpcReply[]> {
    const replies = await this.options.endpoint.call(requests);
    const failure = replies.find((reply) => reply.kind === 'failed');
    if (failure === undefined) this.recordAnswer();
    else this.recordFailure(failure);
    return replies;
  }

  /** Which chain it serves; null when it does not say. Concurrent callers share one request. */
  identify(): Promise<ChainIdentity | null> {
    this.check ??= this.readIdentity().finally(() => {
      this.check = undefined;
    });
    return this.check;
  }

  trust(): void {
    if (this.isForeign)
      this.options.logger.info('provider serves the configured chain again', this.fields);
    this.standing = 'trusted';
    this.wasTrusted = true;
    this.checkedAtMs = this.options.nowMs();
    this.trouble = null;
  }

  distrust(why: string): void {
    if (!this.isForeign) {
      this.options.logger.error('provider serves another chain and is not used', {
        ...this.fields,
        code: 'NONCE_CHAIN_MISMATCH',
        why,
      });
    }
    this.standing = 'foreign';
    this.trouble = why;
    this.nextCheckAtMs = this.options.nowMs() + FOREIGN_PAUSE_MS;
  }

  /** Its chain is proven anew at the next call, without a pause. */
  reconsider(): void {
    this.standing = 'unchecked';
    this.nextCheckAtMs = Number.NEGATIVE_INFINITY;
  }

  private async readIdentity(): Promise<ChainIdentity | null> {
    const [chain, genesis] = await this.options.endpoint.call(IDENTITY_REQUESTS);
    const chainId = chain?.kind === 'result' ? parseQuantity(chain.value) : null;
    const block = genesis?.kind === 'result' && isRecord(genesis.value) ? genesis.value : null;
    const genesisHash = parseHash(block?.['hash']);
    if (chainId !== null && genesisHash !== null) {
      this.genesis = genesisHash;
      return { chainId, genesisHash };
    }
    this.recordFailure(whyUnidentified(chain) ?? whyUnidentified(genesis) ?? NO_IDENTITY);
    return null;
  }

  private recordAnswer(): void {
    if (this.failures > 0) this.options.logger.info('provider answers again', this.fields);
    this.failures = 0;
    this.trouble = null;
  }

  /** After a failure the next connection may lead to another node: its chain is proven anew. */
  private recordFailure(failure: RpcFailed): void {
    if (this.failures === 0) {
      this.options.logger.warn('provider gives no answer', {
        ...this.fields,
        why: failure.message,
      });
    }
    this.failures += 1;
    this.trouble = failure.message;
    if (this.standing === 'trusted') this.standing = 'unchecked';
    const pauseMs = FIRST_PAUSE_MS * 2 ** (this.failures - 1);
    this.nextCheckAtMs = this.options.nowMs() + Math.min(pauseMs, LONGEST_PAUSE_MS);
  }

  private get fields(): { readonly provider: string } {
    return { provider: this.label };
  }
}

const NO_IDENTITY = failed('malformed', 'it names neither a chain id nor a genesis block');

function whyUnidentified(reply: RpcReply | undefined): RpcFailed | null {
  if (reply?.kind === 'failed') return reply;
  return reply?.kind === 'error' ? failed('malformed', reply.message) : null;
}
