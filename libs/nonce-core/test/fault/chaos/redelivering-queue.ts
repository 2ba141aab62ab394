import type { FastStatus } from '../../../src/ports/fast-store.port';
import type { EventQueue, QueuedEvent } from '../../../src/ports/flush-store.port';

/** Delivers everything twice: once in its order, and once more, reversed, after it was acknowledged. */
export class RedeliveringQueue implements EventQueue {
  private delivered: readonly QueuedEvent[] = [];

  constructor(private readonly queue: EventQueue) {}

  async take(shards: readonly number[], limit: number): Promise<readonly QueuedEvent[]> {
    const again = this.delivered;
    this.delivered = [];
    const taken = await this.queue.take(shards, limit);
    this.delivered = taken;
    return [...taken, ...[...again].reverse()];
  }

  takeAgain(
    shards: readonly number[],
    limit: number,
    silentMs: number,
  ): Promise<readonly QueuedEvent[]> {
    return this.queue.takeAgain(shards, limit, silentMs);
  }

  acknowledge(events: readonly QueuedEvent[]): Promise<void> {
    return this.queue.acknowledge(events);
  }

  backlog(shards: readonly number[]): Promise<readonly FastStatus[]> {
    return this.queue.backlog(shards);
  }
}
