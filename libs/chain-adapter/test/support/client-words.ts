import type { NodeAnswer } from './scripted-node';
import type { Refusal } from './scripted-pool';

export const CLIENTS = ['geth', 'nethermind', 'besu', 'erigon', 'reth', 'zksync'] as const;
export type Client = (typeof CLIENTS)[number];

type Words = string | readonly [code: number, message: string];

/** How each client refuses a transaction. A number in front is the code it comes with. */
const WORDS: Readonly<Record<Client, Readonly<Record<Refusal, Words>>>> = {
  geth: {
    'not-a-transaction': 'rlp: expected input list for types.LegacyTx',
    'other-chain': 'invalid chain id for signer: have 1 want 10',
    'already-known': 'already known',
    'nonce-too-low': 'nonce too low: next nonce 6, tx nonce 5',
    'nonce-too-high': 'nonce too high',
    'intrinsic-gas': 'intrinsic gas too low: gas 20000, minimum needed 21000',
    'block-gas-limit': 'exceeds block gas limit',
    'insufficient-funds': 'insufficient funds for gas * price + value: balance 1, tx cost 2',
    underpriced: 'transaction underpriced: tip needed 1, tip permitted 0',
    'replacement-underpriced': 'replacement transaction underpriced',
    'in-flight-limit': 'in-flight transaction limit reached for delegated accounts',
  },
  nethermind: {
    'not-a-transaction': 'typed transaction too short',
    'other-chain': 'invalid chain id',
    'already-known': 'AlreadyKnown',
    'nonce-too-low': 'OldNonce, Current nonce: 22, nonce of rejected tx: 17',
    'nonce-too-high': 'NonceGap, Future nonce. Expected nonce: 5',
    'intrinsic-gas': 'intrinsic gas too low',
    'block-gas-limit': 'GasLimitExceeded, Gas limit: 30000000, gas limit of rejected tx: 90000000',
    'insufficient-funds': 'InsufficientFunds, Account balance: 1, cumulative cost: 2',
    underpriced: 'FeeTooLow, MaxFeePerGas too low.',
    'replacement-underpriced': 'ReplacementNotAllowed, existing gas price 2',
    'in-flight-limit': 'DelegatorHasPendingTx',
  },
  besu: {
    'not-a-transaction': [-32_602, 'Unable to parse RLP'],
    'other-chain': [-32_000, 'Wrong chainId'],
    'already-known': [-32_000, 'Known transaction'],
    'nonce-too-low': [-32_001, 'Nonce too low'],
    'nonce-too-high': [-32_000, 'Transaction nonce is too distant from current sender nonce'],
    'intrinsic-gas': [-32_003, 'Intrinsic gas exceeds gas limit'],
    'block-gas-limit': [-32_005, 'Transaction gas limit exceeds block gas limit'],
    'insufficient-funds': [-32_004, 'Upfront cost exceeds account balance'],
    underpriced: [-32_009, 'Gas price below configured minimum gas price'],
    'replacement-underpriced': [-32_000, 'Replacement transaction underpriced'],
    'in-flight-limit': [-32_000, 'in-flight transaction limit reached for delegated accounts'],
  },
  erigon: {
    'not-a-transaction': 'rlp: input list has too many elements',
    'other-chain': 'invalid chain id',
    'already-known': 'ALREADY_EXISTS: already known',
    'nonce-too-low': 'nonce too low',
    'nonce-too-high': 'nonce too high',
    'intrinsic-gas': 'intrinsic gas too low',
    'block-gas-limit': 'exceeds block gas limit',
    'insufficient-funds': 'insufficient funds for gas * price + value',
    underpriced: 'fee too low',
    'replacement-underpriced': 'INTERNAL_ERROR: could not replace existing tx',
    'in-flight-limit': 'in-flight transaction limit reached for delegated accounts',
  },
  reth: {
    'not-a-transaction': [-32_602, 'failed to decode signed transaction'],
    'other-chain': 'invalid chain ID',
    'already-known': 'already known',
    // I-09: the code of an internal error, which a relayer took for one of the provider's.
    'nonce-too-low': [-32_603, 'Transaction nonce too low'],
    'nonce-too-high': [-32_003, 'nonce too high'],
    'intrinsic-gas': [-32_003, 'intrinsic gas too low'],
    'block-gas-limit': 'exceeds block gas limit',
    'insufficient-funds': [-32_003, 'insufficient funds for gas * price + value: have 1 want 2'],
    underpriced: 'transaction underpriced',
    'replacement-underpriced': 'replacement transaction underpriced',
    'in-flight-limit': 'in-flight transaction limit reached for delegated accounts',
  },
  zksync: {
    'not-a-transaction': 'Invalid transaction type',
    'other-chain': 'Wrong chain id',
    'already-known': 'known transaction. transaction with hash 0x60 is already in the system',
    'nonce-too-low': 'nonce too low. allowed nonce range: 427 - 447, actual: 426',
    'nonce-too-high': 'nonce too high. allowed nonce range: 427 - 447, actual: 526',
    'intrinsic-gas': 'intrinsic gas too low',
    'block-gas-limit': 'exceeds block gas limit',
    'insufficient-funds':
      'Not enough balance to cover the fee + value. insufficient funds for gas + value',
    underpriced: 'max fee per gas less than block base fee',
    'replacement-underpriced': 'replacement transaction underpriced',
    'in-flight-limit': 'account limit exceeded',
  },
};

const USUAL_CODE = -32_000;

export function refuse(client: Client, refusal: Refusal): NodeAnswer {
  const words = WORDS[client][refusal];
  const [code, message] = typeof words === 'string' ? [USUAL_CODE, words] : words;
  return { error: { code, message } };
}
