import type { Exposure } from '../domain/allocation';

/** What every withNonce call follows unless its own options say otherwise. */
export interface TemplateSettings {
  /** Life of a reservation without a sign of life; a third of it is the heartbeat's interval. */
  readonly ttlMs: number;
  readonly exposure: Exposure;
  /** Runs of one handler, the first one included. */
  readonly maxAttempts: number;
  /** First wait between two runs or two allocations; doubles each time, with jitter. */
  readonly backoffMs: number;
  /** How long a retryable refusal of the allocation is waited out. */
  readonly waitMs: number;
}
