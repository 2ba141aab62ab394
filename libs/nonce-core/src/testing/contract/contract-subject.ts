import type { Allocation } from '../../domain/allocation';
import type { AllocationStage } from '../../domain/allocation-state';
import type { Submitter } from '../../domain/submitter';
import type { NonceEngine } from '../../ports/engine.port';

/** Parts of the contract that an engine may declare as lacking; every other promise is kept. */
export const CONTRACT_FEATURES = [
  /** More than one node may issue for the same submitter at the same time. */
  'several-nodes',
  /** Quarantined nonces are issued again as replacements. */
  'replacement',
  /** A submitter can be paused. */
  'pause',
] as const;
export type ContractFeature = (typeof CONTRACT_FEATURES)[number];

/**
 * An engine and the hands that move the world around it. All work on the engine's real stores; none
 * is part of what the engine offers its callers.
 */
export interface ContractSubject {
  readonly engine: NonceEngine;
  /** Another instance over the same stores, as a second process would be. */
  secondNode(): Promise<NonceEngine>;
  /** Lets the deadline of a reservation, or the waiting time of a quarantine, have passed. */
  expire(allocation: Allocation): Promise<void>;
  /** One legal step that a tracker or resolver would make; `MINED` and `CONFIRMED` get a block. */
  moveTo(allocation: Allocation, stage: AllocationStage): Promise<void>;
  /** Every nonce of the submitter, lowest first, after whatever waits was written. */
  rows(submitter: Submitter): Promise<readonly Allocation[]>;
  /** The chain's trusted latest count becomes known to the stores. */
  chainCount(submitter: Submitter, count: number): Promise<void>;
  /** The submitter's own window; 0 = no limit. */
  setWindow(submitter: Submitter, maxInFlight: number): Promise<void>;
  setPaused(submitter: Submitter, paused: boolean): Promise<void>;
  close(): Promise<void>;
}

export type ContractSubjectFactory = () => Promise<ContractSubject>;
