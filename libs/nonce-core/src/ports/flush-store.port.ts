import type { Submitter } from '../domain/submitter';
import type { QuarantinePolicy } from '../domain/quarantine-policy';
import type { FlushEvent } from './fast-store.port';

/** One delivery of an event. */
export interface QueuedEvent {
  readonly shard: number;
  /** Id in the stream. */
  readonly entryId: string;
  /** null when it cannot be read; `text` then says what stood there. */
  readonly event: FlushEvent | null;
  readonly text: string;
  readonly deliveries: number;
}

/** The queue of events, one stream per shard, with one consumer group over all workers. */
export interface EventQueue {
  /** New deliveries for this consumer. */
  take(shards: readonly number[], limit: number): Promise<readonly QueuedEvent[]>;
  /** Deliveries that this consumer took and did not acknowledge, or that silent ones left behind. */
  takeAgain(
    shards: readonly number[],
    limit: number,
    silentMs: number,
  ): Promise<readonly QueuedEvent[]>;
  /** Acknowledges and deletes; afterwards drops settled snapshots of these events. */
  acknowledge(events: readonly QueuedEvent[]): Promise<void>;
}

/** A flushed nonce that its event proves settled, so that the fast store may forget it. */
export interface FlushStore {
  /** Applies events in one transaction; any order, any number of times, the same rows. */
  apply(events: readonly FlushEvent[], quarantine: QuarantinePolicy): Promise<void>;
  /** Keeps an event that cannot be applied, and quarantines its nonce alone. */
  bury(event: QueuedEvent, reason: string, quarantine: QuarantinePolicy): Promise<void>;
  /** Claims shards for this worker until `leaseMs` from now; fair among live workers. */
  claimShards(claim: {
    readonly worker: string;
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
  readonly event: string;
  readonly deliveries: number;
  readonly at: Date;
}
