import type { Allocation } from '../domain/allocation';
import type { AllocationStage } from '../domain/allocation-state';
import type { Submitter } from '../domain/submitter';

/** One nonce as Postgres had it. Later is what has the higher (epoch, changedAtUs). */
export interface MirroredNonce {
  readonly nonce: number;
  readonly epoch: number;
  /** By Postgres's clock, microseconds since 1970: no two changes of one row share one. */
  readonly changedAtUs: number;
  readonly stage: AllocationStage;
  /** Owner token of the allocation. */
  readonly owner: string;
}

/** The first nonce that was never issued. Later is what has the higher (epoch, next). */
export interface MirroredNext {
  readonly epoch: number;
  readonly next: number;
}

export interface MirrorNews {
  readonly submitter: Submitter;
  readonly next: MirroredNext | null;
  readonly nonces: readonly MirroredNonce[];
}

/**
 * Told what Postgres has decided, afterwards. Never throws, never makes anybody wait, may lose what
 * it was told: the comparison with Postgres finds it. Not here: any way to ask it for a nonce.
 */
export interface Mirror {
  tell(allocations: readonly Allocation[]): void;
}

/** A field of the mirror as it was found, and what it says; null where it says nothing readable. */
export interface MirrorField<Value> {
  readonly text: string;
  readonly value: Value | null;
}

export interface MirrorCopy {
  readonly submitter: Submitter;
  readonly next: MirrorField<MirroredNext> | null;
  /** By the name of the field, which is a nonce unless somebody tampered with it. */
  readonly nonces: ReadonlyMap<string, MirrorField<MirroredNonce>>;
}

/** Puts a field right, if it still is what was found. */
export interface MirrorCorrection {
  /** null = the field of the next nonce. */
  readonly field: string | null;
  /** null = absent. */
  readonly found: string | null;
  /** null = shall be absent. */
  readonly put: MirroredNonce | MirroredNext | null;
}

export interface MirrorRepair {
  readonly submitter: Submitter;
  readonly corrections: readonly MirrorCorrection[];
  /** Every nonce below `below` was settled at `asOfUs`: older facts about them are refused. */
  readonly settled: { readonly below: number; readonly asOfUs: number } | null;
}

/** The copy in Redis. Every method throws NONCE_STORE_UNAVAILABLE while Redis does not answer. */
export interface MirrorStore {
  /** Submitters of one shard are written by one call. */
  shardOf(submitter: Submitter): number;
  /** Takes over what is later than what is there, in whatever order it comes. One shard only. */
  write(news: readonly MirrorNews[]): Promise<void>;
  /** One copy per submitter, in their order. */
  read(submitters: readonly Submitter[]): Promise<readonly MirrorCopy[]>;
  /** Also keeps the copies from expiring. */
  repair(repairs: readonly MirrorRepair[]): Promise<void>;
  /** True while `owner` is the one that compares; lasts for `ttlMs` from now. */
  lead(owner: string, ttlMs: number): Promise<boolean>;
  /** Lets another one lead at once; does nothing where `owner` does not. */
  resign(owner: string): Promise<void>;
  /** Forgotten after `ttlMs`. */
  keepStanding(standing: MirrorStanding, ttlMs: number): Promise<void>;
  /** null = nobody compares. */
  standing(): Promise<MirrorStanding | null>;
}

export interface SubmitterTruth {
  readonly submitter: Submitter;
  /** By Postgres's clock; whatever was changed before, and was committed, is part of it. */
  readonly asOfUs: number;
  readonly next: MirroredNext;
  /** Reserved and reusable ones, in the order of nonces. */
  readonly open: readonly MirroredNonce[];
  /** There may be more open ones than were read. */
  readonly truncated: boolean;
}

/** What Postgres says, for comparison. Reads only. */
export interface MirrorTruth {
  /** Submitters with nonces that are not settled, a page in key order. */
  openSubmitters(after: Submitter | null, limit: number): Promise<readonly Submitter[]>;
  /** Those of the submitters that exist. */
  read(
    submitters: readonly Submitter[],
    maxOpen: number,
  ): Promise<ReadonlyMap<Submitter, SubmitterTruth>>;
  /** Nonces by their keys, settled ones too; those that do not exist are left out. */
  find(
    keys: readonly { readonly submitter: Submitter; readonly nonce: number }[],
  ): Promise<ReadonlyMap<Submitter, readonly MirroredNonce[]>>;
}

export const DIVERGENCE_KINDS = ['missing', 'extra', 'other-owner', 'other-stage', 'next'] as const;
export type DivergenceKind = (typeof DIVERGENCE_KINDS)[number];

/** A difference that two looks in a row have seen; it was repaired then. */
export interface MirrorDivergence {
  readonly submitter: Submitter;
  readonly kind: DivergenceKind;
  /** null where it is not about one nonce. */
  readonly nonce: number | null;
  readonly foundAtMs: number;
}

export interface MirrorStanding {
  /** All submitters with open nonces were compared, and none differed in the last round. */
  readonly inStep: boolean;
  readonly asOfMs: number;
  /** Epoch of the mode in which this was found; worth nothing in another one. */
  readonly modeEpoch: number;
  /** Submitters compared in the last full round; null before the first one ended. */
  readonly compared: number | null;
  /** Submitters that differed, in the last full round and since: by divergence or only by delay. */
  readonly differences: number;
  /** Newest first, bounded. */
  readonly divergences: readonly MirrorDivergence[];
}

/** For those who decide whether the fast store may take over. */
export interface MirrorReport {
  /** null = nobody compares, or Redis does not answer. */
  divergence(): Promise<MirrorStanding | null>;
}

/** Whom the mirror is for, by the mode that rules. */
export interface MirrorScope {
  /** False while nobody is mirrored. */
  active(): boolean;
  /** Epoch of that mode. */
  epoch(): number;
  covers(submitter: Submitter): boolean;
}
