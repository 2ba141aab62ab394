import {
  isNonceError,
  NonceError,
  toChainId,
  type ChainId,
  type FieldProblem,
  type Hex,
} from '@noncekit/nonce-core/domain';
import {
  NO_METRICS,
  type BurnRequest,
  type BurnSigner,
  type BurnSigning,
  type Logger,
  type Metrics,
} from '@noncekit/nonce-core/ports';
import { privateKeyToAccount, type PrivateKeyAccount } from 'viem/accounts';
import { decideBurnFees, perGas, type BurnFees } from './decide-burn-fees';
import { feesOfBytes, FeeReader } from './fee-reader';
import {
  DEFAULT_REQUEST_TIMEOUT_MS,
  NO_LOGGER,
  openProviderPool,
  urlProblems,
} from './open-provider-pool';
import { transactionHash } from './transaction-hash';

/** A transfer without data costs exactly this much. */
const TRANSFER_GAS = 21_000n;
const WEI_PER_GWEI = 10n ** 9n;
const DEFAULT_MAX_FEE_GWEI = 1_000;
const PRIVATE_KEY = /^0x[0-9a-f]{64}$/i;

export interface BurnSignerOptions {
  /** One per account whose nonces may be burned; 0x and 64 hexadecimal digits each. */
  readonly privateKeys: readonly Hex[];
  readonly chains: readonly { readonly chainId: number; readonly rpcUrls: readonly string[] }[];
  /** More than this per unit of gas is not paid, in gwei; 1000 by default. One burn takes 21,000. */
  readonly maxFeeGwei?: number;
  readonly metrics?: Metrics;
  readonly logger?: Logger;
}

/**
 * Signs transfers of nothing with private keys of this process, at fees asked of the chain's nodes at
 * that moment: EIP-1559 where blocks have a base fee, else a gas price. Starts nothing, sends nothing.
 * @throws NonceError NONCE_CONFIG_INVALID with every problem at once; keys are never shown.
 */
export function createBurnSigner(options: BurnSignerOptions): BurnSigner {
  const problems = [...keyProblems(options.privateKeys), ...chainProblems(options.chains)];
  if (problems.length > 0) throw new NonceError('NONCE_CONFIG_INVALID', { errors: problems });
  const { metrics = NO_METRICS, logger = NO_LOGGER, maxFeeGwei = DEFAULT_MAX_FEE_GWEI } = options;
  const accounts = options.privateKeys.map((key) => privateKeyToAccount(key));
  const fees = options.chains.map(({ chainId: id, rpcUrls }) => {
    const chainId = toChainId(id);
    const timeoutMs = DEFAULT_REQUEST_TIMEOUT_MS;
    const pool = openProviderPool({ chainId, rpcUrls, timeoutMs, metrics, logger });
    return [chainId, new FeeReader(pool, () => performance.now())] as const;
  });
  return new KeyBurnSigner(
    new Map(accounts.map((account) => [account.address.toLowerCase(), account])),
    new Map(fees),
    BigInt(Math.round(maxFeeGwei)) * WEI_PER_GWEI,
  );
}

class KeyBurnSigner implements BurnSigner {
  constructor(
    private readonly accounts: ReadonlyMap<string, PrivateKeyAccount>,
    private readonly fees: ReadonlyMap<ChainId, FeeReader>,
    private readonly maxFeePerGas: bigint,
  ) {}

  async sign(request: BurnRequest): Promise<BurnSigning> {
    const account = this.accounts.get(request.address.toLowerCase());
    if (account === undefined) return refused('no key of this account is among the burn keys');
    const reader = this.fees.get(request.chainId);
    if (reader === undefined) return refused('the burn signer does not know this chain');
    try {
      const fees = await this.feesFor(request, reader);
      if (perGas(fees) > this.maxFeePerGas) return refused(tooDear(fees, this.maxFeePerGas));
      const { chainId, nonce } = request;
      const to = account.address;
      const transfer = { chainId, nonce, to, value: 0n, gas: TRANSFER_GAS };
      const rawTx = await account.signTransaction({ ...transfer, ...fees });
      return { kind: 'signed', rawTx, txHash: transactionHash(rawTx) };
    } catch (error) {
      if (isNonceError(error)) return { kind: 'unavailable', cause: error.message };
      throw error;
    }
  }

  private async feesFor(request: BurnRequest, reader: FeeReader): Promise<BurnFees> {
    const [quote, pooled] = await Promise.all([reader.quote(), reader.feesOf(request.hashes)]);
    const stored = request.outbid.map(feesOfBytes).filter((fees) => fees !== null);
    return decideBurnFees(quote, [...stored, ...pooled]);
  }
}

function refused(reason: string): BurnSigning {
  return { kind: 'refused', reason };
}

function tooDear(fees: BurnFees, bound: bigint): string {
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

function chainProblems(chains: BurnSignerOptions['chains']): readonly FieldProblem[] {
  return chains.flatMap(({ chainId, rpcUrls }) =>
    urlProblems(rpcUrls).map(({ pointer, detail }) => ({
      pointer: `/chains/${chainId}${pointer}`,
      detail,
    })),
  );
}
