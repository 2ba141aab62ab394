import type { Clock } from '../ports/clock.port';
import type { FastStatus } from '../ports/fast-store.port';
import type { EventQueue, QueuedEvent } from '../ports/flush-store.port';
import { EventGroups } from './event-groups';
import type { FastKeys } from './fast-keys';
import { pruneCalls } from './fast-prune-calls';
import { fastStoreError } from './fast-store-error';
import { decodeFlushEvent } from './flush-event-fields';
import { LUA } from './generated/lua';
import type { RedisClient } from './redis-client';
import { sendAll, type RedisCommand, type RedisReply } from './redis-commands';
import { runFastScript } from './run-fast-script';
import {
  claimedOf,
  pendingOf,
  streamsOf,
  type PendingEntry,
  type StreamEntry,
} from './stream-replies';

export interface EventQueueOptions {
  /** Name of this worker among all; its unfinished deliveries are known by it. */
  readonly consumer: string;
  /** Before a delivery that was not acknowledged is repeated; grows fourfold with each. */
  readonly retryPauseMs: number;
}

const EVENT_QUEUE_DEFAULTS: Omit<EventQueueOptions, 'consumer'> = {
  // Five deliveries take 17 s then: time for a database that was set back to be noticed (5 s).
  retryPauseMs: 200,
};

/** Ids per XACK: far below what a client may send at once. */
const IDS_PER_COMMAND = 1_000;
/** Entries read from one stream even when all others have something too. */
const READ_MIN = 16;

/**
 * The streams of events, one per shard, read by one consumer group over all workers.
 *
 * Guaranteed: an entry is delivered until it is acknowledged, whatever dies in between; it is
 * deleted only then. A group that was lost is made again from the start of its stream. Streams are
 * never made here: the scripts notice by a missing one that events were lost.
 * Not guaranteed: order, or that an entry comes only once.
 */
export class RedisEventQueue implements EventQueue {
  private readonly options: EventQueueOptions;
  private readonly groups: EventGroups;
  /** How many streams filled their part of the last read: what others leave, they may use. */
  private busy = 1;

  constructor(
    private readonly client: RedisClient,
    private readonly keys: FastKeys,
    clock: Clock,
    options: Pick<EventQueueOptions, 'consumer'> & Partial<EventQueueOptions>,
  ) {
    this.options = Object.freeze({ ...EVENT_QUEUE_DEFAULTS, ...options });
    this.groups = new EventGroups(client, keys, clock);
  }

  async take(shards: readonly number[], limit: number): Promise<readonly QueuedEvent[]> {
    const ready = await this.groups.ready(shards);
    if (ready.length === 0) return [];
    const count = Math.max(READ_MIN, Math.ceil(limit / this.busy));
    const head = ['GROUP', this.groups.name, this.options.consumer, 'COUNT', count, 'STREAMS'];
    const reads = this.client.isCluster ? ready.map((shard) => [shard]) : [ready];
    const replies = await sendAll(
      this.client,
      reads.map((read): RedisCommand => {
        const streams = read.map((shard) => this.keys.events(shard));
        return ['XREADGROUP', ...head, ...streams, ...streams.map(() => '>')];
      }),
    );
    const taken = replies.map((reply) => (this.groups.lost(reply, ready) ? [] : valueOf(reply)));
    const found = taken.flatMap(streamsOf);
    this.busy = Math.max(1, found.filter(({ entries }) => entries.length >= count).length);
    const shardOf = new Map(ready.map((shard) => [this.keys.events(shard), shard]));
    return found.flatMap(({ key, entries }) =>
      entries.map((entry) => queued(shardOf.get(key) ?? -1, entry, 1)),
    );
  }

  async takeAgain(
    shards: readonly number[],
    limit: number,
    silentMs: number,
  ): Promise<readonly QueuedEvent[]> {
    const ready = await this.groups.ready(shards);
    const { consumer, retryPauseMs } = this.options;
    const group = this.groups.name;
    const replies = await sendAll(
      this.client,
      ready.map((shard): RedisCommand => {
        const idleMs = Math.min(silentMs, retryPauseMs);
        return ['XPENDING', this.keys.events(shard), group, 'IDLE', idleMs, '-', '+', limit];
      }),
    );
    const again = ready.map(async (shard, i) => {
      if (this.groups.lost(replies[i], [shard])) return [];
      const pending = pendingOf(valueOf(replies[i]));
      const own = pending.filter(
        ({ owner, idleMs, deliveries }) => owner === consumer && idleMs >= this.pauseMs(deliveries),
      );
      const silent = pending.some(({ owner, idleMs }) => owner !== consumer && idleMs >= silentMs);
      if (own.length === 0 && !silent) return [];
      return this.claim(shard, { pending, own, take: silent ? { silentMs, limit } : null });
    });
    return (await Promise.all(again)).flat();
  }

  async acknowledge(events: readonly QueuedEvent[]): Promise<void> {
    const ids = new Map<number, string[]>();
    for (const { shard, entryId } of events) {
      const known = ids.get(shard);
      if (known === undefined) ids.set(shard, [entryId]);
      else known.push(entryId);
    }
    // Deleted first: one that is deleted and not acknowledged is tidied up by its next delivery, one
    // that is acknowledged and not deleted would count as waiting for ever.
    const commands = [...ids].flatMap(([shard, all]) =>
      slices(all).flatMap((some): RedisCommand[] => [
        ['XDEL', this.keys.events(shard), ...some],
        ['XACK', this.keys.events(shard), this.groups.name, ...some],
      ]),
    );
    (await sendAll(this.client, commands)).forEach(valueOf);
    // Only memory depends on it, and a lost store has forgotten them anyway.
    await runFastScript(this.client, LUA.fastPrune, pruneCalls(this.keys, events));
  }

  async backlog(shards: readonly number[]): Promise<readonly FastStatus[]> {
    const calls = shards.map((shard) => ({ keys: [this.keys.events(shard)], args: [] }));
    const replies = await runFastScript(this.client, LUA.fastStatus, calls);
    return shards.map((shard, i) => {
      const [length, ageMs] = valueOf(replies[i]) as readonly unknown[];
      const oldestEventAgeMs = Number(ageMs) < 0 ? null : Number(ageMs);
      return { shard, streamLength: Number(length), oldestEventAgeMs };
    });
  }

  private pauseMs(deliveries: number): number {
    return this.options.retryPauseMs * 4 ** (deliveries - 1);
  }

  /** Its own that are due, and what others left behind, unless somebody else has just taken it. */
  private async claim(shard: number, due: Due): Promise<readonly QueuedEvent[]> {
    const key = this.keys.events(shard);
    const head = [key, this.groups.name, this.options.consumer] as const;
    const commands: RedisCommand[] = [];
    if (due.own.length > 0) {
      const idleMs = Math.min(...due.own.map((entry) => entry.idleMs));
      commands.push(['XCLAIM', ...head, idleMs, ...due.own.map(({ id }) => id)]);
    }
    if (due.take !== null) {
      commands.push(['XAUTOCLAIM', ...head, due.take.silentMs, '0-0', 'COUNT', due.take.limit]);
    }
    const deliveries = new Map(due.pending.map((entry) => [entry.id, entry.deliveries + 1]));
    const replies = await sendAll(this.client, commands);
    return replies.flatMap((reply) => {
      if (this.groups.lost(reply, [shard])) return [];
      return claimedOf(valueOf(reply)).map((entry) =>
        queued(shard, entry, deliveries.get(entry.id) ?? 1),
      );
    });
  }
}

interface Due {
  readonly pending: readonly PendingEntry[];
  readonly own: readonly PendingEntry[];
  readonly take: { readonly silentMs: number; readonly limit: number } | null;
}

function queued(shard: number, { id, fields }: StreamEntry, deliveries: number): QueuedEvent {
  const event = decodeFlushEvent(fields);
  const text = event === null ? textOf(fields) : '';
  return { shard, entryId: id, event, text, deliveries };
}

/** Its fields as JSON, so that what can be read of it still can. */
function textOf(fields: readonly string[]): string {
  const values: Record<string, string> = {};
  for (let i = 0; i < fields.length; i += 2) values[fields[i] ?? ''] = fields[i + 1] ?? '';
  return JSON.stringify(values);
}

function slices(ids: readonly string[]): readonly (readonly string[])[] {
  const count = Math.ceil(ids.length / IDS_PER_COMMAND);
  return Array.from({ length: count }, (_, i) =>
    ids.slice(i * IDS_PER_COMMAND, (i + 1) * IDS_PER_COMMAND),
  );
}

function valueOf(reply: RedisReply | undefined): unknown {
  if (reply === undefined) throw fastStoreError(new Error('no reply'));
  if (!reply.ok) throw fastStoreError(reply.error);
  return reply.value;
}
