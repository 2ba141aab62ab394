import type { StackChain } from './stack';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The services that the environment names; the stack uses them as they are and never stops them. */
export interface GivenServices {
  readonly databaseUrl: string | undefined;
  readonly redisUrl: string | undefined;
  readonly chain: StackChain | undefined;
}

export function givenServices(environment: Environment): GivenServices {
  return {
    databaseUrl: present(environment['NONCE_DATABASE_URL']),
    redisUrl: present(environment['NONCE_REDIS_URL']),
    chain: givenChain(environment),
  };
}

/** The first chain of NONCE_CHAINS that has an RPC URL. */
function givenChain(environment: Environment): StackChain | undefined {
  const ids = (environment['NONCE_CHAINS'] ?? '').split(',').map((id) => id.trim());
  for (const id of ids.filter((text) => /^\d+$/.test(text))) {
    const [rpcUrl] = (environment[`NONCE_CHAIN_${id}_RPC_URLS`] ?? '').split(',');
    const url = present(rpcUrl);
    if (url !== undefined) return { chainId: Number(id), rpcUrl: url, mnemonic: undefined };
  }
  return undefined;
}

function present(text: string | undefined): string | undefined {
  const trimmed = text?.trim();
  return trimmed === '' ? undefined : trimmed;
}
