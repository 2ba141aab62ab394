import type { AllocationStage, AllocationStatus } from './allocation-state';
import type { Hex } from './brand';
import type { EngineName, Epoch } from './epoch';
import type { Nonce } from './nonce';
import type { Submitter } from './submitter';

/** How much a missing report from a handler proves (design: exposure of handlers). */
export const EXPOSURES = ['declared', 'inferred', 'assumed'] as const;
export type Exposure = (typeof EXPOSURES)[number];

/** The one of two that lets a missing report prove less. */
export function stricterExposure(left: Exposure, right: Exposure): Exposure {
  return EXPOSURES.indexOf(left) > EXPOSURES.indexOf(right) ? left : right;
}

/** Where the nonce came from when it was granted. */
export const ALLOCATION_SOURCES = ['fresh', 'recycled', 'replacement'] as const;
export type AllocationSource = (typeof ALLOCATION_SOURCES)[number];

/** How the end of a nonce was proven: by a receipt of one of our hashes, or by the final count. */
export type Proof = 'receipt' | 'count';

/** The binding of one nonce to one piece of work. `id` is also the owner token of its holder. */
export interface Allocation {
  readonly id: string;
  readonly submitter: Submitter;
  readonly nonce: Nonce;
  readonly status: AllocationStatus;
  readonly stage: AllocationStage;
  readonly source: AllocationSource;
  readonly epoch: Epoch;
  readonly engine: EngineName;
  readonly exposure: Exposure;
  readonly operationId: string | null;
  /** The hash that mined, or the last one exposed. */
  readonly txHash: Hex | null;
  /** Every hash ever exposed at this nonce, oldest first. */
  readonly hashes: readonly Hex[];
  readonly proof: Proof | null;
  readonly note: string | null;
  /** Until when the holder must settle or send a heartbeat; null once exposed or settled. */
  readonly deadline: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** `updatedAt` as exactly as Postgres knows it, microseconds since 1970; absent elsewhere. */
  readonly updatedAtUs?: number;
}

/** Limits of one allocation request; each is checked before any store is touched. */
export const ALLOCATION_LIMITS = {
  /** One block is at most this many nonces. */
  maxCount: 256,
  minTtlMs: 1_000,
  /** One day: longer holds belong to an intent, not to a reservation. */
  maxTtlMs: 86_400_000,
  maxOperationIdLength: 200,
  maxNoteLength: 500,
} as const;
