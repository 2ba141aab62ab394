import type { AllocationStage, AllocationStatus } from './allocation-state';
import type { LastingMode } from './engine-mode';
import type { EngineName, Epoch } from './epoch';
import type { Nonce } from './nonce';
import type { Submitter } from './submitter';

/** A run of nonces below the next fresh one that block everything above them. */
export interface NonceGap {
  readonly from: Nonce;
  readonly to: Nonce;
  readonly stage: AllocationStage | 'MISSING';
  readonly cause: string;
  readonly suggestion: string;
}

/** One submitter as an operator sees it, read at `asOf`. */
export interface SubmitterView {
  readonly submitter: Submitter;
  readonly label: string | null;
  readonly nextLocalNonce: Nonce;
  readonly ceiling: Nonce;
  readonly epoch: Epoch;
  readonly engine: EngineName;
  /** Finalized count - 1; null while nothing is final. */
  readonly lastChainNonce: Nonce | null;
  /** Highest trusted transaction count at `latest`; null before the chain was read. */
  readonly chainLatest: number | null;
  readonly counts: Readonly<Record<AllocationStatus, number>>;
  readonly gaps: readonly NonceGap[];
  readonly oldestReservedAgeMs: number | null;
  readonly maxInFlight: number;
  readonly paused: boolean;
  readonly pausedReason: string | null;
  /** Followed instead of the mode in force; null = follows it. */
  readonly pinnedMode: LastingMode | null;
  readonly asOf: Date;
}
