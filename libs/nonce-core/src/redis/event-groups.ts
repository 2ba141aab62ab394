import type { Clock } from '../ports/clock.port';
import type { FastKeys } from './fast-keys';
import { fastStoreError } from './fast-store-error';
import type { RedisClient } from './redis-client';
import { sendAll, type RedisReply } from './redis-commands';

/** Shards without a stream are looked at again after this time: their first event may wait so long. */
const LOOK_AGAIN_MS = 100;

/** The consumer group of each stream, made when the stream is there and made again when it is lost. */
export class EventGroups {
  readonly name = 'flush';
  private readonly known = new Set<number>();
  private readonly lookAtMs = new Map<number, number>();

  constructor(
    private readonly client: RedisClient,
    private readonly keys: FastKeys,
    private readonly clock: Clock,
  ) {}

  /**
   * Those of the shards whose stream exists, each with its group.
   * @throws NonceError NONCE_STORE_UNAVAILABLE.
   */
  async ready(shards: readonly number[]): Promise<readonly number[]> {
    const nowMs = this.clock.monotonicMs();
    const unknown = shards.filter(
      (shard) => !this.known.has(shard) && (this.lookAtMs.get(shard) ?? 0) <= nowMs,
    );
    if (unknown.length > 0) {
      // From the very first entry: a group that is made late must not skip what was queued before.
      const replies = await sendAll(
        this.client,
        unknown.map(
          (shard) => ['XGROUP', 'CREATE', this.keys.events(shard), this.name, '0'] as const,
        ),
      );
      unknown.forEach((shard, i) => this.note(shard, replies[i]));
    }
    return shards.filter((shard) => this.known.has(shard));
  }

  /** True when a reply says that a group or its stream is gone, as after a flush of the server. */
  lost(reply: RedisReply | undefined, shards: readonly number[]): boolean {
    if (reply === undefined || reply.ok || !/^NOGROUP|no such key/i.test(reply.error.message)) {
      return false;
    }
    for (const shard of shards) {
      this.known.delete(shard);
      this.lookAtMs.delete(shard);
    }
    return true;
  }

  private note(shard: number, reply: RedisReply | undefined): void {
    if (reply?.ok === true || reply?.error.message.startsWith('BUSYGROUP') === true) {
      this.known.add(shard);
      this.lookAtMs.delete(shard);
    } else if (reply?.error.message.includes('requires the key to exist') === true) {
      this.lookAtMs.set(shard, this.clock.monotonicMs() + LOOK_AGAIN_MS);
    } else {
      throw fastStoreError(reply?.error ?? new Error('no reply'));
    }
  }
}
