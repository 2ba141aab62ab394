import { isNonceError, NonceError, type ChainId } from '@noncekit/nonce-core/domain';
import type { BurnRequest, BurnSigner, BurnSigning } from '@noncekit/nonce-core/ports';
import type { PrivateKeyAccount } from 'viem/accounts';
import { decideBurnFees, perGas, type BurnFees } from './decide-burn-fees';
import { feesOfBytes, type FeeReader } from './fee-reader';
import {
  accountsOf,
  feeReadersOf,
  signingKeyProblems,
  tooDear,
  WEI_PER_GWEI,
  type SigningKeys,
} from './signing-keys';
import { transactionHash } from './transaction-hash';

/** A transfer without data costs exactly this much. */
const TRANSFER_GAS = 21_000n;
const DEFAULT_MAX_FEE_GWEI = 1_000;

/** One key per account whose nonces may be burned; 0x and 64 hexadecimal digits each. */
export interface BurnSignerOptions extends SigningKeys {
  /** More than this per unit of gas is not paid, in gwei; 1000 by default. One burn takes 21,000. */
  readonly maxFeeGwei?: number;
}

/**
 * Signs transfers of nothing with private keys of this process, at fees asked of the chain's nodes at
 * that moment: EIP-1559 where blocks have a base fee, else a gas price. Starts nothing, sends nothing.
 * @throws NonceError NONCE_CONFIG_INVALID with every problem at once; keys are never shown.
 */
export function createBurnSigner(options: BurnSignerOptions): BurnSigner {
  const problems = signingKeyProblems(options);
  if (problems.length > 0) throw new NonceError('NONCE_CONFIG_INVALID', { errors: problems });
  const { maxFeeGwei = DEFAULT_MAX_FEE_GWEI } = options;
  return new KeyBurnSigner(
    accountsOf(options.privateKeys),
    feeReadersOf(options),
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
