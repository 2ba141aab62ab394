import type { QuarantinePolicy } from '../../domain/quarantine-policy';
import type { RetryPolicy } from '../../engine-parts/ask-store';
import type { IntentPolicy } from '../../ports/fast-epoch-store.port';

/** How many fresh nonces the fast store is given ahead. */
export interface PrefetchOptions {
  /** Fresh nonces fetched at once; adapts itself between this and `max`. */
  readonly size: number;
  /** Fewer than this left fetch the next ones in the background. */
  readonly lowWater: number;
  readonly max: number;
  /** Time without an allocation after which the unused ones go back to Postgres. */
  readonly idleCloseMs: number;
}

export interface PerformanceEngineOptions {
  readonly intents: IntentPolicy;
  readonly prefetch: PrefetchOptions;
  /** Window of submitters whose chain is not configured and that have no own setting; 0 = no limit. */
  readonly maxInFlight: number;
  readonly quarantine: QuarantinePolicy;
  /** Calls that may wait for a batch of a shard; more are refused with NONCE_BACKPRESSURE. */
  readonly maxWaiting: number;
  /** Script runs of one shard at a time: one is executed while the next is on its way. */
  readonly batchesInFlight: number;
  /** Nonces one script run grants at most. */
  readonly maxBatch: number;
  /** Nonces one submitter is granted at most by one script run. */
  readonly maxPerSubmitter: number;
  /** Commands, records and bindings one statement handles at most. */
  readonly maxCommandBatch: number;
  /** Submitters whose epochs one statement enters or refills at most. */
  readonly maxEntering: number;
  /** Such statements at a time. */
  readonly entrancesInFlight: number;
  /** Epochs this process replaces per second at most, after a second's worth at once. */
  readonly bumpsPerSecond: number;
  /** Epochs that may prove unusable, one after the other, before their callers are refused. */
  readonly maxEntries: number;
  /** New submitters that may be looked up on their chains at the same time. */
  readonly maxOpenings: number;
  /** Grants that Postgres may give to somebody else before a caller is refused. */
  readonly maxFenced: number;
  /** How long another node may take to open the epoch it won. */
  readonly openingWaitMs: number;
  /** Epochs and grants a node remembers; what it forgot costs one more question. */
  readonly maxViews: number;
  readonly maxGrants: number;
  readonly retry: RetryPolicy;
}

export const PERFORMANCE_DEFAULTS: PerformanceEngineOptions = {
  intents: 'strict',
  prefetch: { size: 32, lowWater: 8, max: 1_024, idleCloseMs: 60_000 },
  maxInFlight: 64,
  quarantine: { ms: 30_000, release: 'replacement' },
  maxWaiting: 10_000,
  batchesInFlight: 2,
  // A script run of this size takes a few milliseconds, in which Redis serves nobody else.
  maxBatch: 256,
  maxPerSubmitter: 256,
  maxCommandBatch: 512,
  maxEntering: 64,
  // Half of a usual pool of 10: commands and records keep their connections.
  entrancesInFlight: 4,
  // 10,000 submitters in use come back within the 5 s that a call waits, the busiest ones at once.
  bumpsPerSecond: 2_000,
  maxEntries: 6,
  maxOpenings: 32,
  maxFenced: 8,
  openingWaitMs: 50,
  maxViews: 100_000,
  maxGrants: 50_000,
  // 50 + 100 + 200 ms: outlasts a dropped connection and a quick restart, not an outage.
  retry: { attempts: 4, backoffMs: 50 },
};
