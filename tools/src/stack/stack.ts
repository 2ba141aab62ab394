import type { AnvilServer } from './anvil-server';
import type { PostgresServer } from './postgres-server';
import type { RedisServer } from './redis-server';

/** A chain the applications can talk to. */
export interface StackChain {
  readonly chainId: number;
  readonly rpcUrl: string;
  /** Phrase of its funded accounts; undefined for a chain that was given from outside. */
  readonly mnemonic: string | undefined;
}

/** A part that could not be had, with the sentence that says what to do about it. */
export interface MissingPart {
  readonly part: 'redis' | 'chain';
  readonly problem: string;
}

export interface StackParts {
  readonly databaseUrl: string;
  readonly redisUrl: string | undefined;
  readonly chain: StackChain | undefined;
  readonly missing: readonly MissingPart[];
  /** The servers this stack started itself; services given from outside are not among them. */
  readonly servers: {
    readonly postgres?: PostgresServer;
    readonly redis?: RedisServer;
    readonly anvil?: AnvilServer;
  };
}

/** The running stack. It owns `parts.servers` and ends exactly those. */
export class Stack {
  constructor(
    private readonly parts: StackParts,
    private readonly release: () => void = () => undefined,
  ) {}

  get databaseUrl(): string {
    return this.parts.databaseUrl;
  }

  get redisUrl(): string | undefined {
    return this.parts.redisUrl;
  }

  get chain(): StackChain | undefined {
    return this.parts.chain;
  }

  get missing(): readonly MissingPart[] {
    return this.parts.missing;
  }

  get servers(): StackParts['servers'] {
    return this.parts.servers;
  }

  /** What the applications need in their environment to use this stack. */
  environment(): Readonly<Record<string, string>> {
    const { databaseUrl, redisUrl, chain } = this.parts;
    return {
      NONCE_DATABASE_URL: databaseUrl,
      ...(redisUrl === undefined ? {} : { NONCE_REDIS_URL: redisUrl }),
      ...(chain === undefined ? {} : chainEnvironment(chain)),
    };
  }

  /** Ends its servers, the chain first and the authority last; repeated calls do nothing. */
  async stop(deadlineMs?: number): Promise<void> {
    const { anvil, redis, postgres } = this.parts.servers;
    await anvil?.stop(deadlineMs);
    await redis?.stop(deadlineMs);
    await postgres?.stop(deadlineMs);
    this.release();
  }
}

function chainEnvironment(chain: StackChain): Readonly<Record<string, string>> {
  const id = String(chain.chainId);
  return {
    NONCE_CHAINS: id,
    NONCE_DEFAULT_CHAIN_ID: id,
    [`NONCE_CHAIN_${id}_RPC_URLS`]: chain.rpcUrl,
  };
}
