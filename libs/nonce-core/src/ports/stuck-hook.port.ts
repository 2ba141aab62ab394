import type { AllocationStage } from '../domain/allocation-state';
import type { Hex } from '../domain/brand';
import type { StuckAnswer, StuckCause } from '../domain/stuck-answer';

/** A nonce that makes no progress by itself. */
export interface StuckNonce {
  readonly submitter: string;
  readonly nonce: number;
  readonly allocationId: string;
  readonly operationId: string | null;
  readonly stage: AllocationStage;
  readonly cause: StuckCause;
  /** In words, with what a node said. */
  readonly reason: string;
  /** Every hash recorded at this nonce, oldest first. */
  readonly hashes: readonly Hex[];
  /** How long nothing was learned about it. */
  readonly unchangedMs: number;
  /** What happens when the hook does not decide otherwise. */
  readonly suggestion: StuckAnswer;
}

/**
 * Decides about a nonce when it becomes stuck, once each time. `bump` and `burn` are followed where
 * somebody can sign them, and are a report where nobody can. `burn` gives the work up: it is told as
 * not done once the burn is final. An error, or no answer within the bound, is `wait`.
 */
export interface StuckHook {
  decide(stuck: StuckNonce, signal: AbortSignal): StuckAnswer | Promise<StuckAnswer>;
}
