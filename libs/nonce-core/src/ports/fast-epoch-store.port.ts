import type { Exposure } from '../domain/allocation';
import type { Epoch } from '../domain/epoch';
import type { QuarantinePolicy } from '../domain/quarantine-policy';
import type { Submitter } from '../domain/submitter';
import type { AllocateAnswer } from './allocation-store.port';
import type { FastLimits, FreeNonce } from './fast-range.port';
import type { FastGrant, FastView, Incarnation } from './fast-store.port';

/** `strict`: an intent is durable before anything is sent; `relaxed`: no Postgres write before it. */
export const INTENT_POLICIES = ['strict', 'relaxed'] as const;
export type IntentPolicy = (typeof INTENT_POLICIES)[number];

export interface FastEpochRequest {
  readonly submitter: Submitter;
  readonly incarnation: Incarnation;
  /** Epoch that was found unusable; null when the node knows none yet. */
  readonly badEpoch: Epoch | null;
  /** Fresh nonces wanted at once. */
  readonly raise: number;
  /** Window of the submitter's chain; 0 = no limit. */
  readonly defaultWindow: number;
  readonly reason: string;
}

export interface FastEpoch {
  readonly view: FastView;
  /** True: this call won the epoch and alone may open it in the fast store, once. */
  readonly won: boolean;
  readonly base: number;
  readonly ceiling: number;
  readonly limits: FastLimits;
  readonly free: readonly FreeNonce[];
  readonly moreFree: boolean;
  /** Number of this batch of free nonces, and of the one that must have reached the store before. */
  readonly loan: number;
  readonly loanSeen: number;
}

/**
 * `absent`: no state row yet. `stale`: another epoch or engine rules now. `mode`: the mode is another
 * one by now, or entitles this submitter to no fast engine.
 */
export type FastEpochAnswer =
  | { readonly kind: 'epoch'; readonly epoch: FastEpoch }
  | { readonly kind: 'absent' }
  | { readonly kind: 'mode' }
  | { readonly kind: 'stale' };

export interface FastRefillRequest {
  readonly view: FastView;
  /** Ceiling as the asker knows it; raised only while it is still this (compare and set). */
  readonly ceilingSeen: number;
  /** Last loan that the fast store has taken, where it is known: later ones are handed over again. */
  readonly loanSeen?: number;
  readonly raise: number;
  readonly defaultWindow: number;
}

export interface FastRecordRow {
  readonly grants: readonly FastGrant[];
  readonly requestHash: string | null;
}

/**
 * `fenced`: a nonce belongs to somebody else by now: forget these grants and allocate again. `ids`
 * names those of a block that are lost, when it is known; the others may go back.
 */
export type FastRecordAnswer =
  AllocateAnswer | { readonly kind: 'fenced'; readonly ids?: readonly string[] };

export interface FastBindingRequest {
  readonly submitter: Submitter;
  readonly operationId: string;
  readonly requestHash: string | null;
  readonly count: number;
  readonly exposure: Exposure;
}

/** The fast epoch that was seen to rule, and where its store ended it; null = not known, as in close(). */
export interface FastEnding {
  readonly epoch: Epoch;
  readonly retiredNext: number | null;
}

export interface TakeOverRow {
  readonly submitter: Submitter;
  /** null where no fast epoch was seen to rule: it was closed, or no store was ever told of it. */
  readonly ending: FastEnding | null;
}

/**
 * `taken`: the reliable engine has it, by this or before. `mode`: the mode is another one by now, or
 * entitles the submitter to a fast engine. `stale`: another fast epoch rules. `contended`: somebody
 * else holds its lock; asked for alone it is waited for.
 */
export type TakeOverVerdict = 'taken' | 'mode' | 'stale' | 'contended';

/** Postgres's side of fast epochs: the only place where an epoch, a ceiling or a binding changes. */
export interface FastEpochStore {
  /**
   * Joins the ruling epoch of this incarnation, or wins a new one, while the mode has this epoch and
   * entitles the submitter. One answer per request.
   */
  enter(
    requests: readonly FastEpochRequest[],
    intents: IntentPolicy,
    modeEpoch: number,
  ): Promise<readonly FastEpochAnswer[]>;
  /** `mode`: fresh nonces were wanted and the mode gives none; nothing changed and the epoch goes on. */
  refill(
    requests: readonly FastRefillRequest[],
    intents: IntentPolicy,
  ): Promise<readonly FastEpochAnswer[]>;
  /**
   * Makes grants durable before their handlers run: all that are not `declared`, that bear an
   * operation, or that replace an earlier holder. A replay is answered with what is bound.
   */
  record(
    rows: readonly FastRecordRow[],
    quarantine: QuarantinePolicy,
  ): Promise<readonly FastRecordAnswer[]>;
  /**
   * What is bound to operations already: `granted` with `replayed`, `refused`
   * (NONCE_IDEMPOTENCY_REUSED, NONCE_OUTCOME_UNKNOWN), or null where a nonce has to be granted. An
   * answered replay is remembered, as AllocationStore.allocate does it. One answer per request.
   */
  findBindings(
    requests: readonly FastBindingRequest[],
  ): Promise<readonly (AllocateAnswer | null)[]>;
  /**
   * Ends an epoch whose fast store retired it at `retiredNext`; null when that is not known, which
   * under `relaxed` quarantines everything without a verdict. False when another epoch rules.
   */
  close(view: FastView, retiredNext: number | null, reason: string): Promise<boolean>;
  /**
   * Gives submitters to the reliable engine, each with a verdict of its own; what is `taken` commits
   * together. One answer per row. May be repeated, and by several nodes at once.
   */
  takeOver(rows: readonly TakeOverRow[], modeEpoch: number): Promise<readonly TakeOverVerdict[]>;
  /** Submitters of fast epochs that have nonces to hand to their fast store. */
  awaitingLoad(limit: number): Promise<readonly FastView[]>;
  /** Ruling epochs in key order, those behind `after`; null = from the start. */
  listRuling(after: Submitter | null, limit: number): Promise<readonly FastView[]>;
  /** The ruling fast epoch of a submitter; null where another engine rules, or none ever did. */
  ruling(submitter: Submitter): Promise<FastView | null>;
  /** The ruling fast epochs among these submitters, by one statement. */
  rulingAmong(submitters: readonly Submitter[]): Promise<ReadonlyMap<Submitter, FastView>>;
}
