import { loadEnvironment } from '../../src/module/environment/load-environment';
import { NonceEnvironment } from '../../src/module/environment/nonce-environment';
import { toNonceOptions } from '../../src/module/environment/to-nonce-options';
import { OPTION_DEFAULTS } from '../../src/module/option-defaults';
import type { ChainOptions } from '../../src/module/chain-options';
import { resolveOptions } from '../../src/module/resolve-options';

const RPC = 'http://127.0.0.1:1';
const DATABASE = 'postgres://app@db/nonces';

const inCode = (chainId: number, settings: Partial<ChainOptions> = {}) =>
  resolveOptions({
    database: { url: DATABASE },
    chains: { [chainId]: { rpcUrls: [RPC], ...settings } },
  }).chains[0]?.profile;

const inEnvironment = (chainId: number, settings: Record<string, string> = {}) => {
  const source = {
    NONCE_DATABASE_URL: DATABASE,
    NONCE_CHAINS: String(chainId),
    [`NONCE_CHAIN_${chainId}_RPC_URLS`]: RPC,
    ...settings,
  };
  const environment = loadEnvironment(NonceEnvironment, source, () => undefined);
  return resolveOptions(toNonceOptions(environment)).chains[0]?.profile;
};

describe('defaults of a chain by its id', () => {
  it.each([
    [1, { pollIntervalMs: 4_000, reorgDepth: 64 }],
    [8_453, { pollIntervalMs: 2_000, reorgDepth: 384 }],
    [42_161, { pollIntervalMs: 500, reorgDepth: 3_072 }],
    [31_337, { pollIntervalMs: 500, reorgDepth: 64 }],
  ])('are those of chain %d, in code and in the environment', (chainId, expected) => {
    expect(inCode(chainId)).toMatchObject(expected);
    expect(inEnvironment(chainId)).toEqual(inCode(chainId));
  });

  it('are the general ones where the chain is not known', () => {
    const { pollIntervalMs, reorgDepth } = OPTION_DEFAULTS.chain;
    expect(inCode(424_242)).toMatchObject({ pollIntervalMs, reorgDepth });
    expect(inEnvironment(424_242)).toEqual(inCode(424_242));
  });

  it('give way to what is set', () => {
    expect(inCode(8_453, { reorgDepth: 9 })).toMatchObject({ reorgDepth: 9 });
    const set = inEnvironment(8_453, { NONCE_CHAIN_8453_REORG_DEPTH: '9' });
    expect(set).toMatchObject({ reorgDepth: 9 });
  });
});
