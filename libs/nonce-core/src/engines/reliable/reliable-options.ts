import type { QuarantinePolicy } from '../../domain/quarantine-policy';
import type { RetryPolicy } from '../../engine-parts/ask-store';

export interface ReliableEngineOptions {
  /** Window of submitters whose chain is not configured and that have no own setting; 0 = no limit. */
  readonly maxInFlight: number;
  readonly quarantine: QuarantinePolicy;
  /** Calls that may wait for a batch; more are refused with NONCE_BACKPRESSURE. */
  readonly maxWaiting: number;
  readonly batchesInFlight: number;
  /** Nonces one statement grants at most. */
  readonly maxBatch: number;
  /** Nonces one submitter is granted at most by one statement. */
  readonly maxPerSubmitter: number;
  /** Commands one statement applies at most. */
  readonly maxCommandBatch: number;
  /** Submitters contended by other nodes that may wait for their locks at the same time. */
  readonly maxLoneFlights: number;
  /** New submitters that may be looked up on their chains at the same time. */
  readonly maxOpenings: number;
  readonly retry: RetryPolicy;
}

export const RELIABLE_DEFAULTS: ReliableEngineOptions = {
  maxInFlight: 64,
  quarantine: { ms: 30_000, release: 'replacement' },
  maxWaiting: 10_000,
  // A second batch would wait for the first one's row lock or share its fsync at best.
  batchesInFlight: 1,
  maxBatch: 512,
  // One block of the largest size always fits, and two busy submitters share a batch.
  maxPerSubmitter: 256,
  maxCommandBatch: 512,
  // Half of a usual pool of 10: statements of groups keep their connections.
  maxLoneFlights: 4,
  maxOpenings: 32,
  // 50 + 100 + 200 ms: outlasts a dropped connection and a quick restart, not an outage.
  retry: { attempts: 4, backoffMs: 50 },
};
