import type { SubmissionOutcome } from '@noncekit/nonce-core/domain';

/** One way in which nodes refuse `eth_sendRawTransaction`. */
export interface SubmissionDialect {
  readonly id: string;
  /** Where these words were seen. */
  readonly spoken: string;
  /** Tried on the text without wrappers, see `classify-submission.ts`. */
  readonly pattern: RegExp;
  /** These codes decide alone, whatever the text. */
  readonly codes?: readonly number[];
  readonly outcome: SubmissionOutcome;
}

/**
 * The first row that matches decides; no row means `unknown`. The order is the meaning:
 *
 *   1. texts that prove nothing: limits of the provider, time-outs, nodes that are not ready
 *   2. reverts, which may quote any of the words below; the bytes stay valid
 *   3. rejections for good: these bytes can never execute
 *   4. limits of the pool for this account
 *   5. in a pool already: anchored, since it is the only good news in the table (I-09)
 *   6. another transaction at this nonce, before everything else that is underpriced (I-22)
 *   7. the nonce itself
 *   8. not now: money, price, room
 *
 * Codes are used only where they cannot mean something else: Besu says -32005 for a gas limit where
 * the standard says it for a rate limit, and -32603 carries anything (openzeppelin-relayer #681).
 */
export const SUBMISSION_DIALECTS = [
  {
    id: 'rate-limit',
    spoken: 'Alchemy, Infura, QuickNode, public gateways, zkSync',
    pattern:
      /rate[- ]?limit|request rate|too many (?:requests|transactions$)|many requests|compute units|throughput|quota|daily request/i,
    codes: [429],
    outcome: 'unknown',
  },
  {
    id: 'no-service',
    spoken: 'load balancers, Arbitrum and OP sequencers, viem request errors',
    pattern:
      /time[- ]?d?[- ]?out|deadline exceeded|service unavailable|bad gateway|HTTP request failed|connection (?:reset|refused|closed|failed)|ECONN|socket hang up|network is unreachable|temporarily (?:unavailable|banned)|shutting down|syncing|sync is still in progress|not in sync/i,
    outcome: 'unknown',
  },
  {
    id: 'method-missing',
    spoken: 'read-only endpoints',
    pattern: /method (?:not found|not supported|.{1,60}does not exist)/i,
    codes: [-32_601],
    outcome: 'unknown',
  },
  {
    id: 'same-nonce-in-progress',
    spoken: 'zkSync',
    pattern: /^insertion of another transaction/i,
    outcome: 'unknown',
  },
  {
    id: 'revert',
    spoken: 'sequencers and gateways that simulate first; viem ExecutionRevertedError',
    pattern: /revert|VM exception|execution error|simulation|failed to validate the transaction/i,
    outcome: 'not-accepted-now',
  },
  {
    id: 'intrinsic-gas',
    spoken: 'geth, erigon, reth, Besu, Hardhat, viem IntrinsicGasTooLowError',
    pattern:
      /intrinsic gas (?:too low|exceeds gas limit)|IntrinsicGasTooLow|floor data gas|requires at least \d+ gas|call gas cost (?:is )?more than gas limit/i,
    outcome: 'never-executable',
  },
  {
    id: 'block-gas-limit',
    spoken:
      'geth, erigon, reth, Besu, Nethermind, OpenEthereum, zkSync, viem IntrinsicGasTooHighError',
    pattern:
      /exceeds (?:the )?block gas limit|gas limit (?:is )?too (?:high|big)|intrinsic gas too high|IntrinsicGasTooHigh|^GasLimitExceeded|cost exceeds current gas limit/i,
    outcome: 'never-executable',
  },
  {
    id: 'too-large',
    spoken: 'geth, erigon, reth, Nethermind',
    pattern:
      /oversized data|init ?code (?:size exceeded|too large)|rlp too long|MaxTxSizeExceeded/i,
    outcome: 'never-executable',
  },
  {
    id: 'bad-sender',
    spoken: 'geth, erigon, reth, Besu, Nethermind',
    pattern:
      /^invalid (?:transaction )?(?:sender|signature)|invalid transaction v, r, s|sender (?:is )?not an eoa|^FailedToResolveSender|^SenderIsContract/i,
    outcome: 'never-executable',
  },
  {
    id: 'other-chain',
    spoken: 'geth, reth, Besu, Hardhat',
    pattern:
      /invalid chain id|wrong chain ?id|chain ?id (?:mismatch|does not match)|incompatible EIP-?155/i,
    outcome: 'never-executable',
  },
  {
    id: 'not-a-transaction',
    spoken: 'geth, erigon, reth, Besu, Nethermind, viem TransactionTypeNotSupportedError',
    pattern:
      /^rlp:|(?:transaction|tx) type (?:is )?not supported|typed transaction too short|(?:invalid|unsupported) transaction type|TransactionTypeNotSupported|^NotSupportedTxType|failed to decode (?:signed )?transaction|unable to parse RLP/i,
    outcome: 'never-executable',
  },
  {
    id: 'impossible-values',
    spoken:
      'geth, erigon, Klaytn, zkSync, viem TipAboveFeeCapError, FeeCapTooHighError, NonceMaxValueError',
    pattern:
      /priority fee (?:per gas )?higher than max fee|TipAboveFeeCap|FeeCapTooHigh|higher than 2\^256|^Int256Overflow|gas uint64 overflow|negative value|nonce has max value|NonceMaxValue/i,
    outcome: 'never-executable',
  },
  {
    id: 'delegated-gap',
    spoken: 'geth, reth, Nethermind (EIP-7702)',
    pattern: /gapped[- ]nonce|^NotCurrentNonceForDelegation/i,
    outcome: 'nonce-too-high',
  },
  {
    id: 'in-flight-limit',
    spoken: 'geth, reth, Base, Nethermind (EIP-7702)',
    pattern:
      /in-?flight transaction limit|^DelegatorHasPendingTx|authority already reserved|account limit exceeded/i,
    outcome: 'in-flight-limit',
  },
  {
    id: 'already-known',
    spoken: 'geth, erigon, reth, Besu, Nethermind, Gnosis, Polygon',
    pattern: /^(?:already ?known\b|known transaction\b|transaction already (?:known|exists)\b)/i,
    outcome: 'already-known',
  },
  {
    id: 'already-imported',
    spoken: 'anvil, OpenEthereum, erigon, Sei, Harmony',
    pattern:
      /^(?:transaction already imported\b|transaction with the same hash was already imported\b|existing tx with same hash\b|(?:tx|transaction) already (?:exists )?in (?:cache|mempool)\b)/i,
    outcome: 'already-known',
  },
  {
    id: 'gap-in-a-full-pool',
    spoken: 'geth',
    pattern: /future transaction tries to replace pending/i,
    outcome: 'nonce-too-high',
  },
  {
    id: 'replacement-underpriced',
    spoken: 'geth, erigon, reth, anvil, Besu, Nethermind, Klaytn, OpenEthereum, Lotus, Polygon',
    pattern:
      /replacement (?:transaction |tx )?(?:is )?underpriced|replacement fee too low|could not replace existing tx|another (?:transaction|tx) (?:which has |with )(?:the )?same nonce|^ReplacementNotAllowed|^OwnNonceAlreadyUsed|already in mpool, increase/i,
    outcome: 'replacement-underpriced',
  },
  {
    id: 'nonce-too-low',
    spoken: 'geth, erigon, reth, anvil, Besu, OpenEthereum, Arbitrum, Hedera, zkSync, Hardhat',
    pattern: /\bnonce (?:is )?too low\b/i,
    outcome: 'nonce-too-low',
  },
  {
    id: 'nonce-consumed',
    spoken: 'Nethermind, Harmony, viem NonceTooLowError',
    pattern:
      /^OldNonce|^NonceTooLow|is lower than the current nonce of the account|^transaction already (?:finali[sz]ed|mined)/i,
    outcome: 'nonce-too-low',
  },
  {
    id: 'nonce-too-high',
    spoken: 'geth, erigon, reth, Besu, Arbitrum, zkSync, Hedera, Hardhat',
    pattern: /\bnonce (?:is )?too (?:high|distant|far)\b/i,
    outcome: 'nonce-too-high',
  },
  {
    id: 'nonce-gap',
    spoken: 'Nethermind, Besu, Hedera, viem NonceTooHighError',
    pattern:
      /^NonceGap|^NonceToo(?:High|FarInFuture)|\bnonce gap\b|WRONG_NONCE|invalid transaction with a lower nonce exists|is higher than the next one expected/i,
    outcome: 'nonce-too-high',
  },
  {
    id: 'insufficient-funds',
    spoken: 'geth, erigon, reth, anvil, Besu, Nethermind, OP, Arbitrum, zkSync, Hedera, Hardhat',
    pattern:
      /insufficient (?:funds|balance)|^InsufficientFunds|INSUFFICIENT_PAYER_BALANCE|not enough (?:funds|balance)|doesn't have enough funds|cost exceeds account balance|would cause overdraft|exceeds the balance of the account/i,
    outcome: 'not-accepted-now',
  },
  {
    id: 'underpriced',
    spoken:
      'geth, erigon, reth, Besu, Nethermind, OpenEthereum, Arbitrum, Hedera, viem FeeCapTooLowError',
    pattern:
      /underpriced|fee ?too ?low|FeeCapTooLow|gas price (?:is )?too low|less than (?:the )?block base fee|below (?:configured )?minimum|gas price below/i,
    outcome: 'not-accepted-now',
  },
  {
    id: 'fee-cap-of-the-node',
    spoken: 'geth, erigon, Besu, Celo',
    pattern: /exceeds the configured cap|fee cap exceeded/i,
    outcome: 'not-accepted-now',
  },
  {
    id: 'no-room',
    spoken: 'geth, erigon, reth, OpenEthereum, Arbitrum, Nethermind',
    pattern:
      /(?:pool|queue) (?:is )?full|pool overflow|too many transactions in the queue|^gas limit reached|address already reserved|^PendingTxsOfConflictingType/i,
    outcome: 'not-accepted-now',
  },
  {
    id: 'policy-of-the-node',
    spoken: 'geth, Besu permissioning',
    pattern: /only replay-protected|sender account not authorized/i,
    outcome: 'not-accepted-now',
  },
] as const satisfies readonly SubmissionDialect[];

export type DialectId = (typeof SUBMISSION_DIALECTS)[number]['id'];
