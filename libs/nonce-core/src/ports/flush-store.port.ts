import type { Submitter } from '../domain/submitter';
import type { QuarantinePolicy } from '../domain/quarantine-policy';
import type { FastStatus, FlushEvent } from './fast-store.port';

/** One delivery of an event. */
export interface QueuedEvent {
  readonly shard: number;
  /** Id in the stream. */
  readonly entryId: string;
  /** null when it cannot be read; `text` then says what stood there. */
  readonly event: FlushEvent | null;
  readonly text: string;
  /** From 1 up. */
  readonly deliveries: number;
}

/**
 * The queue of events, one stream per shard, with one consumer group over all workers. A delivery
 * that is not acknowledged comes again, to its worker or to another one.
 * @throws NonceError NONCE_STORE_UNAVAILABLE when the fast store does not answer.
 */
export interface EventQueue {
  /** New deliveries for this consumer, up to about `limit` for all shards together. */
  take(shards: readonly number[], limit: number): Promise<readonly QueuedEvent[]>;
  /**
   * Deliveries that this consumer took and did not acknowledge, each after a pause that grows with
   * its deliveries, and those that others left for `silentMs`.
   */
  takeAgain(
    shards: readonly number[],
    limit: number,
    silentMs: number,
  ): Promise<readonly QueuedEvent[]>;
  /** Acknowledges and deletes; afterwards drops settled snapshots of these events. */
  acknowledge(events: readonly QueuedEvent[]): Promise<void>;
  /** What waits, delivered or not. */
  backlog(shards: readonly number[]): Promise<readonly FastStatus[]>;
}

/** Where events become rows. @throws NonceError NONCE_STORE_UNAVAILABLE; then nothing is known. */
export interface FlushStore {
  /** Applies events in one transaction; any order, any number of times, the same rows. */
  apply(events: readonly FlushEvent[], quarantine: QuarantinePolicy): Promise<void>;
  /** Keeps an event that cannot be applied, once, and quarantines its nonce alone. */
  bury(event: QueuedEvent, reason: string, quarantine: QuarantinePolicy): Promise<void>;
  /** Claims shards for this worker until `leaseMs` from now; fair among live workers. */
  claimShards(claim: {
    readonly worker: string;
    /** How many there are. */
    readonly shards: number;
    readonly leaseMs: number;
  }): Promise<readonly number[]>;
  releaseShards(worker: string): Promise<void>;
}

export interface DeadLetter {
  readonly id: string;
  readonly submitter: Submitter | null;
  readonly nonce: number | null;
  readonly reason: string;
  /** As it came; JSON where it could be read. */
  readonly event: string;
  readonly deliveries: number;
  readonly at: Date;
}

/** Events that could not be applied, for operators. Nothing is ever deleted here. */
export interface DeadLetterStore {
  /** Those that wait for a decision, oldest first, after the one with the id `after`. */
  list(page: {
    readonly after: string | null;
    readonly limit: number;
  }): Promise<readonly DeadLetter[]>;
  /** Also one that is resolved; null when there is none of this id. */
  find(id: string): Promise<DeadLetter | null>;
  /** The event of a letter; null when it could never be read. */
  eventOf(letter: DeadLetter): FlushEvent | null;
  /** Takes it off the list; doing it again changes nothing. */
  resolve(id: string): Promise<void>;
  count(): Promise<number>;
}
