import type { Hex } from '../domain/brand';
import type { ChainId } from '../domain/submitter';
import type { SubmissionOutcome } from '../domain/submission-outcome';

export type BlockTag = 'latest' | 'pending' | 'safe' | 'finalized';

export interface BlockRef {
  readonly number: number;
  readonly hash: Hex;
  readonly parentHash: Hex;
}

/** A block and the hashes of what it executed. */
export interface BlockContents extends BlockRef {
  readonly transactions: readonly Hex[];
}

/**
 * Why nobody could say: the provider is `broken` or away, it answers so many requests and no more, or
 * it understood the question and refuses it, which asking again soon does not change.
 */
export type LookupTrouble = 'broken' | 'rate-limited' | 'bad-request';

/** `absent` is an answer (no provider knows it now); `unavailable` is the lack of one. */
export type ReceiptLookup =
  | {
      readonly kind: 'found';
      readonly blockNumber: number;
      readonly blockHash: Hex;
      readonly succeeded: boolean;
    }
  | { readonly kind: 'absent' }
  | {
      readonly kind: 'unavailable';
      readonly cause: string;
      readonly trouble: LookupTrouble;
    };

export type TransactionLookup = 'pooled' | 'mined' | 'absent' | 'unavailable';

/**
 * Reads one chain through several providers, none trusted alone.
 * @throws NonceError NONCE_CHAIN_UNREACHABLE when no trusted answer came in time,
 * NONCE_CHAIN_MISMATCH when the providers serve another chain (one among good ones is only left
 * out), NONCE_CHAIN_RESET when they served this one before and show another genesis now.
 */
export interface ChainReader {
  readonly chainId: ChainId;
  /** Genesis hash, checked against the chain id of every provider. */
  genesisHash(): Promise<Hex>;
  /** Transaction count of the account; with two or more answers at least two vouch for it. */
  transactionCount(address: Hex, tag: BlockTag): Promise<number>;
  /** null when the chain has no such block yet (a short chain has no finalized one). */
  block(at: BlockTag | number): Promise<BlockRef | null>;
  /** The block at a height with its transactions; null when the chain has none there yet. */
  blockContents(number: number): Promise<BlockContents | null>;
  /** Never throws for a single hash: each has its own answer. */
  receipts(hashes: readonly Hex[]): Promise<ReadonlyMap<Hex, ReceiptLookup>>;
  transaction(hash: Hex): Promise<TransactionLookup>;
  /**
   * Whether the account delegates to code (EIP-7702) at the latest block; true when any provider
   * says so, because it only makes the window smaller; null when none would say, which changes
   * nothing. A reader without it knows no such accounts.
   * @throws NonceError NONCE_CHAIN_UNREACHABLE when no provider is usable.
   */
  isDelegated?(address: Hex): Promise<boolean | null>;
  /**
   * Follows the chain of this genesis from now on, after NONCE_CHAIN_RESET named it as
   * `context.observedGenesis` and an operator re-baselined a submitter on it.
   */
  adoptGenesis?(genesisHash: Hex): void;
}

export interface SubmissionReport {
  readonly outcome: SubmissionOutcome;
  /** keccak-256 of the bytes; known before any node answers. */
  readonly txHash: Hex;
  /** The node's own words, shortened; null when it accepted. */
  readonly detail: string | null;
  /** What `not-accepted-now` is for, where the words say so. */
  readonly lacks?: 'funds' | 'fee';
}

/** Sends signed bytes. Never throws for an answer of a node: each becomes an outcome. */
export interface ChainSender {
  readonly chainId: ChainId;
  send(rawTx: Hex): Promise<SubmissionReport>;
}

export interface ChainProfile {
  readonly chainId: ChainId;
  /** Confirmations until CONFIRMED, counted along parents; 0 = on inclusion. */
  readonly confirmations: number;
  readonly finalityTag: 'finalized' | 'safe' | 'none';
  /** Blocks after which inclusion counts as final where the tag does not move. */
  readonly reorgDepth: number;
  readonly pollIntervalMs: number;
  readonly maxInFlight: number;
  readonly strictNonce: boolean;
}

/**
 * Says that a chain may have a new head: a hint that may be early, doubled, or missing. What the head
 * is, only the reader says.
 */
export interface HeadNotices {
  /** @returns what ends it. */
  listen(onHead: () => void): () => void;
}

export interface ConfiguredChain {
  readonly profile: ChainProfile;
  readonly reader: ChainReader;
  readonly sender: ChainSender;
  /** Absent: the head is polled only. */
  readonly heads?: HeadNotices;
}

/** The configured chains; nothing here makes a request. */
export interface ChainRegistry {
  find(chainId: ChainId): ConfiguredChain | undefined;
  readonly all: readonly ConfiguredChain[];
}
