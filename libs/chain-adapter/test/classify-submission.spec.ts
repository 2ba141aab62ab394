import type { SubmissionOutcome } from '@noncekit/nonce-core/domain';
import { classifySubmission } from '../src/evm/classify-submission';
import { SUBMISSION_DIALECTS, type DialectId } from '../src/evm/submission-dialects';

/** Real answers per row; a number in front is the JSON-RPC code they came with. */
type Sample = string | readonly [code: number, message: string];

const SAMPLES: Readonly<Record<DialectId, readonly Sample[]>> = {
  'rate-limit': [
    [429, 'something'],
    [-32_005, 'project ID request rate exceeded'],
    [-32_005, 'rate limit exceeded, nonce too low requests left'],
    'Your app has exceeded its compute units per second capacity.',
    'too many requests',
    'too many transactions',
    'many requests for a specific RPC call',
  ],
  'no-service': [
    'context deadline exceeded',
    'i/o timeout',
    'Timeout expired',
    '503 Service Unavailable: nonce too low?',
    'read tcp 10.0.0.1: connection reset by peer',
    'network is unreachable',
    'server shutting down',
    'Initial sync is still in progress',
    'Transaction is temporarily banned',
    'HTTP request failed.',
  ],
  'method-missing': [
    [-32_601, 'already known'],
    'the method eth_sendRawTransaction does not exist/is not available',
  ],
  'same-nonce-in-progress': ['insertion of another transaction with the same nonce is in progress'],
  revert: [
    [3, 'execution reverted: nonce too low'],
    'execution reverted: already known',
    'Error: VM Exception while processing transaction: reverted with reason string "known"',
    'simulation failed: insufficient funds for transfer',
    'failed to validate the transaction. reason: Validation revert: nonce too high',
    'ExecutionRevertedError: Execution reverted for an unknown reason.',
  ],
  'intrinsic-gas': [
    'intrinsic gas too low',
    'intrinsic gas too low: gas 20000, minimum needed 21000',
    [-32_003, 'Intrinsic gas exceeds gas limit'],
    'Transaction requires at least 21000 gas but got 100',
    'insufficient gas for floor data gas cost: gas 21000, minimum needed 21040',
    'IntrinsicGasTooLowError: The amount of gas is too low',
  ],
  'block-gas-limit': [
    'exceeds block gas limit',
    [-32_005, 'Transaction gas limit exceeds block gas limit'],
    [-32_000, 'intrinsic gas too high -- tx.gas_limit > env.block.gas_limit'],
    'Transaction gas limit is 90000000 and exceeds block gas limit of 30000000',
    'transaction gas limit too high (cap: 16777216, tx: 30000000)',
    'GasLimitExceeded, Gas limit: 30000000, gas limit of rejected tx: 90000000',
    'Transaction cost exceeds current gas limit. Limit: 8000000, got: 9000000.',
  ],
  'too-large': [
    'oversized data: transaction size 131200, limit 131072',
    'max initcode size exceeded: code size 50000, limit 49152',
    'rlp too long',
    'MaxTxSizeExceeded',
  ],
  'bad-sender': [
    'invalid sender',
    'invalid transaction v, r, s values',
    [-32_002, 'Invalid signature'],
    'sender not an eoa: address 0xabc, len(code): 24',
    'SenderIsContract',
  ],
  'other-chain': [
    'invalid chain id for signer: have 1 want 10',
    [-32_000, 'Wrong chainId'],
    'Trying to send an incompatible EIP-155 transaction, signed for another chain.',
  ],
  'not-a-transaction': [
    'rlp: expected input list for types.LegacyTx',
    'transaction type not supported',
    'typed transaction too short',
    [-32_602, 'Failed to decode transaction'],
    'failed to decode signed transaction',
    'Invalid transaction type',
    'NotSupportedTxType',
  ],
  'impossible-values': [
    'max priority fee per gas higher than max fee per gas: address 0xabc, tip: 2, feeCap: 1',
    'max fee per gas higher than 2^256-1',
    'nonce has max value: address 0xabc, nonce: 18446744073709551615',
    'Int256Overflow',
    'TipAboveFeeCapError: The provided tip cannot be higher than the fee cap.',
  ],
  'delegated-gap': ['gapped-nonce tx from delegated accounts', 'NotCurrentNonceForDelegation'],
  'in-flight-limit': [
    'in-flight transaction limit reached for delegated accounts',
    'DelegatorHasPendingTx',
    'authority already reserved',
    'account limit exceeded',
  ],
  'already-known': [
    'already known',
    'AlreadyKnown',
    'alreadyknown',
    'call failed: AlreadyKnown',
    'ALREADY_EXISTS: already known',
    'rpc error: code = AlreadyExists desc = already known',
    'Known transaction',
    'known transaction: 7f657507aee0511e36d2d1972a6b22e917cc89f92b6c12c4dbd57eaabb236960',
    'known transaction. transaction with hash 0x60…53 is already in the system',
    "failed to forward tx to sequencer, please try again. Error message: 'already known'",
    'transaction already exists',
  ],
  'already-imported': [
    [-32_003, 'transaction already imported'],
    'Transaction with the same hash was already imported.',
    'INTERNAL_ERROR: existing tx with same hash',
    'tx already exists in cache',
    'tx already in mempool',
  ],
  'gap-in-a-full-pool': ['future transaction tries to replace pending'],
  'replacement-underpriced': [
    'replacement transaction underpriced',
    'INTERNAL_ERROR: could not replace existing tx',
    'replacement transaction underpriced: new tx gas fee cap 1 <= 2 queued',
    'ReplacementNotAllowed, existing gas price 2',
    'OwnNonceAlreadyUsed',
    'there is another tx which has the same nonce in the tx pool',
    'Transaction gas price 100wei is too low. There is another transaction with same nonce in the queue with gas price 150wei.',
    'message from f1abc with nonce 5 already in mpool, increase GasPremium to 2',
  ],
  'nonce-too-low': [
    'nonce too low',
    'nonce too low: next nonce 6, tx nonce 5',
    'nonce too low: address 0x336394A3219e71D9d9bd18201d34E95C1Bb7122C, tx: 8089 state: 8090',
    'transaction rejected: nonce too low',
    [-32_603, 'Transaction nonce too low'],
    [-32_001, 'Nonce too low'],
    'Transaction nonce is too low. Try incrementing the nonce.',
    'nonce too low. allowed nonce range: 427 - 447, actual: 426',
    '[Request ID: 2e952947-ffad-408b-aed9-35f3ed152001] Nonce too low. Provided nonce: 15, current nonce: 16',
    'Nonce too low. Expected nonce to be 5 but got 4.',
  ],
  'nonce-consumed': [
    'call failed: OldNonce, Current nonce: 22, nonce of rejected tx: 17',
    'NonceTooLowError: the nonce was used',
    'Nonce provided for the transaction (5) is lower than the current nonce of the account.',
    'transaction already finalized',
  ],
  'nonce-too-high': [
    'nonce too high',
    'nonce too high: address 0x336394A3219e71D9d9bd18201d34E95C1Bb7122C, tx: 8090 state: 8089',
    'nonce too high. allowed nonce range: 427 - 477, actual: 527',
    'Transaction nonce is too distant from current sender nonce',
    "Nonce too high. Expected nonce to be 5 but got 7. Note that transactions can't be queued when automining.",
  ],
  'nonce-gap': [
    'NonceGap, Future nonce. Expected nonce: 10',
    'NonceTooFarInFuture',
    'An invalid transaction with a lower nonce exists',
    'Error invoking RPC: failed precheck with status WRONG_NONCE',
    'Nonce provided for the transaction (9) is higher than the next one expected.',
  ],
  'insufficient-funds': [
    'insufficient funds for gas * price + value',
    'insufficient funds for gas * price + value: balance 0, tx cost 21000, overshot 21000',
    'Insufficient funds for gas * price + value',
    'insufficient balance for transfer',
    'InsufficientFunds, Balance is 1 less than sending value + gas 2',
    [-32_004, 'Upfront cost exceeds account balance'],
    'not enough funds for gas',
    'transaction would cause overdraft',
    "Sender doesn't have enough funds to send tx. The max upfront cost is: 2 and the sender's balance is: 1.",
    'failed precheck with status INSUFFICIENT_PAYER_BALANCE',
  ],
  underpriced: [
    'transaction underpriced',
    'transaction underpriced: gas tip cap 0, minimum needed 1',
    'max fee per gas less than block base fee: address 0xabc, maxFeePerGas: 1, baseFee: 7',
    'FeeTooLowToCompete',
    'fee too low',
    'gas price too low',
    [-32_009, 'Gas price below configured minimum gas price'],
    'gas price less than block base fee',
    'FeeCapTooLowError: The fee cap cannot be lower than the block base fee.',
  ],
  'fee-cap-of-the-node': [
    'tx fee (1.10 ether) exceeds the configured cap (1.00 ether)',
    'Transaction fee cap exceeded',
  ],
  'no-room': [
    'txpool is full',
    'pending sub-pool is full',
    'There are too many transactions in the queue. Your transaction was dropped due to limit. Try increasing the fee.',
    'sequencer pending tx pool full, please try again',
    'queue full',
    'gas limit reached',
    'address already reserved',
    'PendingTxsOfConflictingType',
  ],
  'policy-of-the-node': [
    'only replay-protected (EIP-155) transactions allowed over RPC',
    [-32_007, 'Sender account not authorized to send transactions'],
  ],
};

const answer = (sample: Sample) =>
  typeof sample === 'string'
    ? { code: -32_000, message: sample }
    : { code: sample[0], message: sample[1] };

describe.each(SUBMISSION_DIALECTS)('the dialect $id means $outcome', ({ id, outcome }) => {
  it.each(SAMPLES[id].map(answer))('$code $message', (refusal) => {
    expect(classifySubmission(refusal)).toEqual({ outcome, dialect: id });
  });
});

describe('texts that quote, deny or shorten what they mean', () => {
  const UNPROVEN: readonly (readonly [string, SubmissionOutcome])[] = [
    ['unknown transaction', 'unknown'],
    ['unknown account', 'unknown'],
    ['Unknown RPC error', 'unknown'],
    ['unknown block, transaction already known elsewhere', 'unknown'],
    ['the operator says: already known', 'unknown'],
    ['"known transaction" is what my neighbour said', 'unknown'],
    ['block already known', 'unknown'],
    ['already', 'unknown'],
    ['already reserved', 'unknown'],
    [
      "the tx doesn't have the correct nonce. account has nonce of: 5 tx has nonce of: 4",
      'unknown',
    ],
    ['invalid nonce; got 7, expected 5', 'unknown'],
    ['', 'unknown'],
    ['Internal error', 'unknown'],
    ['Internal JSON-RPC error.', 'unknown'],
    ['header not found', 'unknown'],
    ['execution reverted: intrinsic gas too low', 'not-accepted-now'],
    ['execution reverted: ERC20: insufficient balance', 'not-accepted-now'],
    ['reverted with custom error AlreadyKnown()', 'not-accepted-now'],
    ['insufficient funds; nonce was fine', 'not-accepted-now'],
    ['authority already reserved', 'in-flight-limit'],
  ];

  it.each(UNPROVEN)('I-09: "%s" is %s', (message, outcome) => {
    expect(classifySubmission({ code: -32_000, message }).outcome).toBe(outcome);
  });

  it('I-09: only an anchored text ever says that a pool has the bytes', () => {
    const good = SUBMISSION_DIALECTS.filter((row) => row.outcome === 'already-known');
    const lies = ['a', 'un', 'not ', 'maybe: ', 'says "'].flatMap((lead) =>
      good.flatMap(({ id }) => SAMPLES[id].map((sample) => lead + answer(sample).message)),
    );
    const believed = lies.filter(
      (message) => classifySubmission({ code: null, message }).outcome === 'already-known',
    );
    expect(believed).toEqual([]);
  });

  it('I-22: another transaction at the nonce is never taken for a used nonce', () => {
    for (const sample of SAMPLES['replacement-underpriced']) {
      expect(classifySubmission(answer(sample)).outcome).not.toBe('nonce-too-low');
    }
  });

  it('a very long text is classified in no time', () => {
    const startMs = performance.now();
    classifySubmission({ code: null, message: 'error: '.repeat(200_000) });
    expect(performance.now() - startMs).toBeLessThan(200);
  });
});
