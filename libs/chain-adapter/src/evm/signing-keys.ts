import { toChainId, type ChainId, type FieldProblem, type Hex } from '@noncekit/nonce-core/domain';
import { NO_METRICS, type Logger, type Metrics } from '@noncekit/nonce-core/ports';
import { privateKeyToAccount, type PrivateKeyAccount } from 'viem/accounts';
import { perGas, type BurnFees } from './decide-burn-fees';
import { FeeReader } from './fee-reader';
import {
  DEFAULT_REQUEST_TIMEOUT_MS,
  NO_LOGGER,
  openProviderPool,
  urlProblems,
} from './open-provider-pool';

export const WEI_PER_GWEI = 10n ** 9n;
const PRIVATE_KEY = /^0x[0-9a-f]{64}$/i;

/** Keys of this process, and the chains whose nodes name the fees. */
export interface SigningKeys {
  readonly privateKeys: readonly Hex[];
  readonly chains: readonly { readonly chainId: number; readonly rpcUrls: readonly string[] }[];
  readonly metrics?: Metrics;
  readonly logger?: Logger;
}

/** Every problem at once; keys are never shown. */
export function signingKeyProblems(options: SigningKeys): readonly FieldProblem[] {
  return [...keyProblems(options.privateKeys), ...chainProblems(options.chains)];
}

export function accountsOf(keys: readonly Hex[]): ReadonlyMap<string, PrivateKeyAccount> {
  const accounts = keys.map((key) => privateKeyToAccount(key));
  return new Map(accounts.map((account) => [account.address.toLowerCase(), account]));
}

export function feeReadersOf(options: SigningKeys): ReadonlyMap<ChainId, FeeReader> {
  const { metrics = NO_METRICS, logger = NO_LOGGER } = options;
  return new Map(
    options.chains.map(({ chainId: id, rpcUrls }) => {
      const chainId = toChainId(id);
      const timeoutMs = DEFAULT_REQUEST_TIMEOUT_MS;
      const pool = openProviderPool({ chainId, rpcUrls, timeoutMs, metrics, logger });
      return [chainId, new FeeReader(pool, () => performance.now())] as const;
    }),
  );
}

export function tooDear(fees: BurnFees, bound: bigint): string {
  const gwei = (wei: bigint): string => String(wei / WEI_PER_GWEI);
  return `it would cost ${gwei(perGas(fees))} gwei per gas, and the bound is ${gwei(bound)}`;
}

function keyProblems(keys: readonly Hex[]): readonly FieldProblem[] {
  if (keys.length === 0) return [{ pointer: '/privateKeys', detail: 'needs at least one key' }];
  return keys.flatMap((key, i) =>
    isPrivateKey(key) ? [] : [{ pointer: `/privateKeys/${i}`, detail: 'is not a private key' }],
  );
}

/** Not every number of that length is a key of the curve. */
function isPrivateKey(key: Hex): boolean {
  if (!PRIVATE_KEY.test(key)) return false;
  try {
    privateKeyToAccount(key);
    return true;
  } catch {
    return false;
  }
}

function chainProblems(chains: SigningKeys['chains']): readonly FieldProblem[] {
  return chains.flatMap(({ chainId, rpcUrls }) =>
    urlProblems(rpcUrls).map(({ pointer, detail }) => ({
      pointer: `/chains/${chainId}${pointer}`,
      detail,
    })),
  );
}
