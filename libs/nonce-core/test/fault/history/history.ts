import type { AllocationSource, Exposure } from '../../../src/domain/allocation';
import type { AllocationStage } from '../../../src/domain/allocation-state';
import type { ErrorCode } from '../../../src/domain/errors/catalogue';

/** Times are of the machine's monotonic clock, which all processes of a run share. */
interface Call {
  readonly node: string;
  readonly askedUs: number;
  readonly submitter: string;
  readonly nonce: number;
  readonly token: string;
}

/** An allocation that a caller was told of: from then on it may act on it. */
export interface AllocatedFact extends Call {
  readonly kind: 'allocated';
  readonly atUs: number;
  readonly source: AllocationSource;
  readonly exposure: Exposure;
  readonly epoch: number;
  /** By the clock of the store that granted it; orders the grants of one nonce. */
  readonly grantedAtMs: number;
  /** Until when nobody else is given it; null for one that was exposed or settled before. */
  readonly deadlineMs: number | null;
  readonly operation: string | null;
}

export type SpokenWord = 'intent' | 'submitted' | 'used' | 'recyclable' | 'quarantine';

/** What a holder said, and what it was told. A call without an answer is `unknown` for ever. */
export interface SpokenFact extends Call {
  readonly kind: 'spoken';
  readonly atUs: number;
  readonly word: SpokenWord;
  readonly txHash: string | null;
  readonly answer: 'accepted' | 'unknown' | ErrorCode;
}

/** Bytes left the process; nothing calls them back. */
export interface SentFact {
  readonly kind: 'sent';
  readonly node: string;
  readonly atUs: number;
  readonly submitter: string;
  readonly nonce: number;
  readonly token: string;
  readonly txHash: string;
}

/** Read from the chain, past the product. */
export interface MinedFact {
  readonly kind: 'mined';
  readonly submitter: string;
  readonly nonce: number;
  readonly txHash: string;
  /** The work these bytes carry; null for bytes that are not ours. */
  readonly operation: string | null;
}

/** From `atUs` on the product knew that the chain's count is at least this. */
export interface FloorFact {
  readonly kind: 'floor';
  readonly atUs: number;
  readonly submitter: string;
  readonly count: number;
}

export interface DiedFact {
  readonly kind: 'died';
  readonly node: string;
  readonly atUs: number;
}

export type Fact = AllocatedFact | SpokenFact | SentFact | MinedFact | FloorFact | DiedFact;
export type History = readonly Fact[];

export interface EndingRow {
  readonly submitter: string;
  readonly nonce: number;
  readonly token: string;
  readonly stage: AllocationStage;
  readonly source: string;
  readonly hashes: readonly string[];
  readonly txHash: string | null;
}

/** What Postgres holds when everything has come to rest. */
export interface Ending {
  readonly submitters: readonly {
    readonly submitter: string;
    /** First nonce that was ever to be issued. */
    readonly start: number;
    readonly next: number;
  }[];
  readonly rows: readonly EndingRow[];
  /** Grants whose nonce was granted again since. */
  readonly earlier: readonly {
    readonly submitter: string;
    readonly nonce: number;
    readonly token: string;
    readonly hashes: readonly string[];
  }[];
}

export interface HistoryRules {
  readonly intents: 'strict' | 'relaxed';
  /**
   * The fast store lost what it had acknowledged. Under `relaxed` a report that only it had heard
   * may then be gone, but its nonce must be held for one that may be out.
   */
  readonly memoryLost: boolean;
}
