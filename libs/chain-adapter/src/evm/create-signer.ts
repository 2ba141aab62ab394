import { isNonceError, NonceError, type ChainId, type Hex } from '@noncekit/nonce-core/domain';
import type { BumpRequest, BumpSigning, TransactionSigner } from '@noncekit/nonce-core/ports';
import type { TransactionSerializable } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';
import { parseTransaction } from 'viem/utils';
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

const DEFAULT_MAX_FEE_GWEI = 1_000;

/** One key per account whose transactions may be signed again; 0x and 64 hexadecimal digits each. */
export interface SignerOptions extends SigningKeys {
  /** More than this per unit of gas is not paid, in gwei; 1000 by default. */
  readonly maxFeeGwei?: number;
}

/**
 * Signs transactions again at higher fees with private keys of this process: the same payload, both
 * fees at least 12.5% above everything known at the nonce, and not below what the nodes ask for now.
 * Transactions without a base fee keep their gas price field; those with blobs are refused, because
 * their blobs are not part of the recorded bytes. Starts nothing, sends nothing.
 * @throws NonceError NONCE_CONFIG_INVALID with every problem at once; keys are never shown.
 */
export function createSigner(options: SignerOptions): TransactionSigner {
  const problems = signingKeyProblems(options);
  if (problems.length > 0) throw new NonceError('NONCE_CONFIG_INVALID', { errors: problems });
  const { maxFeeGwei = DEFAULT_MAX_FEE_GWEI } = options;
  return new KeySigner(
    accountsOf(options.privateKeys),
    feeReadersOf(options),
    BigInt(Math.round(maxFeeGwei)) * WEI_PER_GWEI,
  );
}

class KeySigner implements TransactionSigner {
  constructor(
    private readonly accounts: ReadonlyMap<string, PrivateKeyAccount>,
    private readonly fees: ReadonlyMap<ChainId, FeeReader>,
    private readonly maxFeePerGas: bigint,
  ) {}

  async bump(request: BumpRequest): Promise<BumpSigning> {
    const account = this.accounts.get(request.address.toLowerCase());
    if (account === undefined) return refused('no key of this account is among the keys');
    const reader = this.fees.get(request.chainId);
    if (reader === undefined) return refused('the signer does not know this chain');
    const original = parsed(request.rawTx);
    if (original === null) return refused('the recorded bytes cannot be decoded');
    if (original.type === 'eip4844')
      return refused('the blobs of a blob transaction are not recorded');
    try {
      const fees = await feesFor(request, original, reader);
      if (perGas(fees) > this.maxFeePerGas) return refused(tooDear(fees, this.maxFeePerGas));
      const rawTx = await account.signTransaction(withFees(original, fees));
      return { kind: 'signed', rawTx, txHash: transactionHash(rawTx) };
    } catch (error) {
      if (isNonceError(error)) return { kind: 'unavailable', cause: error.message };
      throw error;
    }
  }
}

async function feesFor(
  request: BumpRequest,
  original: TransactionSerializable,
  reader: FeeReader,
): Promise<BurnFees> {
  const [quote, pooled] = await Promise.all([reader.quote(), reader.feesOf(request.hashes)]);
  const stored = request.outbid.map(feesOfBytes).filter((fees) => fees !== null);
  const fees = decideBurnFees(quote, [...stored, ...pooled]);
  if (original.gasPrice === undefined) return fees;
  // One price is both fields; it must be above the dearer of the two.
  return { type: 'legacy', gasPrice: perGas(fees) };
}

/** Of which the signature that viem reads would otherwise take part in the new one. */
const SIGNATURE: ReadonlySet<string> = new Set(['r', 's', 'v', 'yParity']);

/** The work as it was signed first: everything but the fees and the signature. */
function withFees(original: TransactionSerializable, fees: BurnFees): TransactionSerializable {
  const work = Object.entries(original).filter(([field]) => !SIGNATURE.has(field));
  const priced =
    fees.type === 'legacy'
      ? { gasPrice: fees.gasPrice }
      : { maxFeePerGas: fees.maxFeePerGas, maxPriorityFeePerGas: fees.maxPriorityFeePerGas };
  return { ...Object.fromEntries(work), ...priced } as TransactionSerializable;
}

function parsed(rawTx: Hex): TransactionSerializable | null {
  try {
    return parseTransaction(rawTx);
  } catch {
    return null;
  }
}

function refused(reason: string): BumpSigning {
  return { kind: 'refused', reason };
}
