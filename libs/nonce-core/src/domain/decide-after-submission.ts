import type { AllocationStage } from './allocation-state';
import type { SubmissionOutcome } from './submission-outcome';

/** What the sender of stored bytes does next. */
export type NextStep =
  | 'follow' // in a pool: wait for the receipt
  | 'look-up-hashes' // somebody consumed the nonce: find out whether it was one of ours
  | 'bump-fee' // another transaction holds the nonce in that pool, maybe ours
  | 'retry-same-bytes' // not visible there now; the bytes stay valid
  | 'hold-head' // not payable now: keep the head of the queue until it is
  | 'shrink-window' // the pool takes fewer of this account at once
  | 'burn'; // can never execute: close the nonce with a no-op of our own

export interface AfterSubmission {
  /** Stage after the answer; the same stage when the answer proves nothing new. */
  readonly stage: AllocationStage;
  readonly next: NextStep;
}

/**
 * Decides from the current stage of an exposed nonce and one node's answer. Nothing here ever frees
 * the nonce: after an intent only evidence from the chain does (S3, S6).
 */
export function decideAfterSubmission(
  stage: 'INTENT' | 'BROADCAST',
  outcome: SubmissionOutcome,
): AfterSubmission {
  switch (outcome) {
    case 'accepted':
    case 'already-known':
      return { stage: 'BROADCAST', next: 'follow' };
    case 'nonce-too-low':
      return { stage, next: 'look-up-hashes' };
    case 'replacement-underpriced':
      return { stage, next: 'bump-fee' };
    case 'nonce-too-high':
    case 'unknown':
      return { stage, next: 'retry-same-bytes' };
    case 'not-accepted-now':
      return { stage, next: 'hold-head' };
    case 'in-flight-limit':
      return { stage, next: 'shrink-window' };
    case 'never-executable':
      return { stage, next: 'burn' };
  }
}
