import type { AllocationSource, Exposure } from '../domain/allocation';
import type { Hex } from '../domain/brand';
import type { Epoch } from '../domain/epoch';
import type { ErrorCode } from '../domain/errors/catalogue';
import type { Nonce } from '../domain/nonce';
import type { Submitter } from '../domain/submitter';
import type { FastLimits, FastRefillBehind, FreeNonce } from './fast-range.port';

/** Proof that a fast store is the same uninterrupted primary: run id, replication id and role. */
export type Incarnation = string;

/** What a node believes about a submitter's range; may be stale for ever without harm. */
export interface FastView {
  readonly submitter: Submitter;
  readonly epoch: Epoch;
  readonly incarnation: Incarnation;
}

export interface FastAllocateRow {
  readonly view: FastView;
  /** One owner token per wanted nonce; known tokens are answered with their grants. */
  readonly ids: readonly string[];
  readonly operationId: string | null;
  readonly requestHash: string | null;
  readonly ttlMs: number;
  readonly exposure: Exposure;
  readonly metadata: Readonly<Record<string, unknown>> | null;
}

/** Facts of one grant as the fast store holds them. */
export interface FastGrant {
  readonly id: string;
  readonly submitter: Submitter;
  readonly nonce: Nonce;
  readonly epoch: Epoch;
  /** Order of grants within an epoch, from 2 up; 1 is the unknown holder of a closed range. */
  readonly generation: number;
  readonly source: AllocationSource;
  readonly exposure: Exposure;
  readonly operationId: string | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  /** By the fast store's clock, milliseconds since 1970. */
  readonly grantedAtMs: number;
  readonly deadlineMs: number;
}

/**
 * Why a view cannot be used any more; each of them ends in a new epoch, never in a repair.
 * `mode`: the mode changed since the epoch was opened, or its mark is gone. `drain`: nothing is
 * granted by any fast store for now.
 */
export type StaleReason = 'incarnation' | 'absent' | 'epoch' | 'mode' | 'drain';

export type FastAllocateAnswer =
  | {
      readonly kind: 'granted';
      readonly grants: readonly FastGrant[];
      readonly replayed: boolean;
      /** Fresh nonces left below the ceiling, and nonces left in the free set. */
      readonly fresh: number;
      readonly free: number;
    }
  /** The range is used up, or lower nonces wait in Postgres: refill, then ask again. */
  | { readonly kind: 'refill'; readonly ceiling: number }
  | { readonly kind: 'stale'; readonly reason: StaleReason; readonly epoch: Epoch | null }
  | {
      readonly kind: 'refused';
      /**
       * NONCE_IN_FLIGHT_LIMIT, NONCE_PAUSED, NONCE_BACKPRESSURE, NONCE_IDEMPOTENCY_REUSED;
       * NONCE_ALLOCATION_CLOSED: these tokens were granted nonces before, and that has ended.
       */
      readonly code: ErrorCode;
      readonly context: Readonly<Record<string, unknown>>;
    };

/**
 * What is told to the fast store about a grant.
 *   submitted, used, recyclable, quarantine, keep, heartbeat   as in HOLDER_COMMANDS
 *   exposing  relaxed only, before an intent is asked of Postgres: from now on only Postgres decides
 *             about it. The deadline stays and ends in an EXPIRED event, so that a crash in between
 *             loses nothing. A free, untainted nonce is taken back for this token (a late owner)
 *             and gets a new generation. Answers `done` with the facts that Postgres needs.
 *   exposed   Postgres recorded an intent or more: nothing here may free it again
 *   released  Postgres recorded that it was never sent: it may be issued again
 *   drop      Postgres refused this token: it holds the nonce no more and, as its last word, an
 *             EXPIRED event says so. Where the nonce is free it stays so: the next one is judged anew
 *   park      Postgres holds the row and decides from now on
 */
export const FAST_WORDS = [
  'submitted',
  'used',
  'recyclable',
  'quarantine',
  'keep',
  'heartbeat',
  'exposing',
  'exposed',
  'released',
  'drop',
  'park',
] as const;
export type FastWord = (typeof FAST_WORDS)[number];

export interface FastSettleRow {
  readonly word: FastWord;
  readonly view: FastView;
  readonly id: string;
  readonly nonce: Nonce;
  readonly txHash: Hex | null;
  /** Reason or note, at most 500 characters. */
  readonly note: string | null;
  readonly ttlMs: number;
  /** A chain is configured, so `used` with a hash is followed and not asserted. */
  readonly followable: boolean;
}

/**
 * `done`: written (and, for the first six words, queued as an event).
 * `same`: had been said before.
 * `settled`: the grant has left GRANTED; Postgres decides, once `event` is applied there.
 * `fenced`: another token holds this nonce in this epoch.
 * `unknown`: nothing is known of it here; Postgres decides.
 * `stale`: another epoch or incarnation; Postgres decides.
 */
export type FastSettleAnswer =
  | {
      readonly kind: 'done' | 'same';
      /** As it stands now; with `stage` GRANTED it is still held here. */
      readonly grant: FastGrant;
      readonly stage: Exclude<EventStage, 'EXPIRED'>;
      readonly hashes: readonly Hex[];
      readonly note: string | null;
      /** Last change, by the fast store's clock. */
      readonly atMs: number;
    }
  | { readonly kind: 'settled'; readonly event: FlushEvent }
  | { readonly kind: 'fenced' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'stale' };

/**
 * What an event says its grant became before Postgres hears of it.
 * REUSABLE: released by its holder, and free in the fast store already.
 * EXPIRED: its deadline passed and it has left the fast store. Postgres alone knows whether there is
 * an intent: without one a declared, never shared, first-hand grant becomes REUSABLE (and is handed
 * over again, its loaded_epoch is null), everything else QUARANTINED.
 */
export const EVENT_STAGES = [
  'GRANTED',
  'BROADCAST',
  'ASSERTED',
  'REUSABLE',
  'QUARANTINED',
  'EXPIRED',
] as const;
export type EventStage = (typeof EVENT_STAGES)[number];

/** One self-contained fact about a grant. Order of truth: (epoch, generation, rank). */
export interface FlushEvent {
  readonly grant: FastGrant;
  readonly stage: EventStage;
  /** 1 for the grant itself, rising with each later word about it. */
  readonly rank: number;
  /** Every hash said so far, oldest first. */
  readonly hashes: readonly Hex[];
  readonly note: string | null;
  readonly atMs: number;
}

/** What every shard is told about the mode. */
export interface ModeMark {
  readonly epoch: number;
  readonly drain: boolean;
}

/** Opens an epoch that this node has just won in Postgres. One shot: never sent twice. */
export interface FastOpening {
  readonly view: FastView;
  /** Epoch of the mode under which it was won; a later one refuses the opening. */
  readonly modeEpoch: number;
  readonly base: number;
  readonly ceiling: number;
  readonly limits: FastLimits;
  readonly free: readonly FreeNonce[];
  /** More lower nonces wait in Postgres: ask for a refill before a fresh one is issued. */
  readonly moreFree: boolean;
  /** Number of this batch of free nonces. */
  readonly loan: number;
}

/** Free nonces are taken only by a store whose last loan is `loanSeen`; then `loan` is its last. */
export type FastRefill = Omit<FastOpening, 'base' | 'modeEpoch'> & { readonly loanSeen: number };

/** Everything a fast store knew of an epoch when it was ended there. */
export interface HandedOver {
  /** First fresh nonce that was never issued. */
  readonly next: number;
  /** The last fact about each grant that Postgres may not have heard of. */
  readonly facts: readonly FlushEvent[];
}

export interface FastStatus {
  readonly shard: number;
  readonly streamLength: number;
  /** Age of the oldest event not yet flushed; null when there is none. */
  readonly oldestEventAgeMs: number | null;
}

/**
 * The accelerator. Every call is one script run per shard, atomic there. Never retried here: an
 * answer that was lost is NONCE_STORE_UNAVAILABLE with an unknown outcome.
 */
export interface FastStore {
  /** Shard of a submitter, by a stable hash. */
  shardOf(submitter: Submitter): number;
  /** The incarnation that serves this submitter's shard now. @throws NonceError NONCE_STORE_UNAVAILABLE. */
  incarnationOf(submitter: Submitter): Promise<Incarnation>;
  /** One answer per row, in order; rows of one shard share a script run. */
  allocate(rows: readonly FastAllocateRow[]): Promise<readonly (FastAllocateAnswer | Error)[]>;
  settle(rows: readonly FastSettleRow[]): Promise<readonly (FastSettleAnswer | Error)[]>;
  /** Holder of a nonce as known here. */
  look(
    rows: readonly { readonly view: FastView; readonly id: string; readonly nonce: Nonce }[],
  ): Promise<readonly (FastSettleAnswer | Error)[]>;
  /** `opened`, or `refused` because a newer or the same epoch is there, or another incarnation. */
  open(openings: readonly FastOpening[]): Promise<readonly ('opened' | 'refused' | Error)[]>;
  /** Raises the ceiling, replaces the limits, adds free nonces that are not held. One shot. */
  refill(
    refills: readonly FastRefill[],
  ): Promise<readonly ('refilled' | 'refused' | FastRefillBehind | Error)[]>;
  /**
   * Ends an epoch here for good and answers where its fresh nonces ended, when nothing is held and
   * nothing was granted for `idleMs`; null when it is not idle, or not here.
   */
  retire(view: FastView, idleMs: number): Promise<{ readonly next: number } | null>;
  /**
   * Ends epochs here for good, whoever holds nonces of them, and tells all that is known of them. The
   * same answer again until `forget`. null = another epoch or incarnation, or something of it is lost.
   */
  handOver(views: readonly FastView[]): Promise<readonly (HandedOver | null | Error)[]>;
  /** Drops what is kept of handed over epochs; Postgres has all of it. */
  forget(views: readonly FastView[]): Promise<void>;
  /** Marks shards with the mode's epoch, never with an older one. Returns the shards that took it. */
  raiseMode(mark: ModeMark, shards: readonly number[]): Promise<readonly number[]>;
  /** Runs a script that writes and reads in each shard. @throws NonceError NONCE_STORE_UNAVAILABLE. */
  canary(shards: readonly number[]): Promise<void>;
  /** Reservations past their deadline become free or quarantined, as events. Returns how many. */
  reclaim(views: readonly FastView[], limit: number): Promise<number>;
  status(shards: readonly number[]): Promise<readonly FastStatus[]>;
}
