import type { Allocation } from '../../domain/allocation';
import type { Submitter } from '../../domain/submitter';
import type { Clock } from '../../ports/clock.port';
import type { Metrics } from '../../ports/metrics.port';
import type {
  Mirror,
  MirroredNext,
  MirroredNonce,
  MirrorNews,
  MirrorStore,
} from '../../ports/mirror.port';
import { isLaterNext, isLaterNonce, nextAfter, toMirrored } from './mirror-fact';

export interface MirrorBufferOptions {
  /** Nonces that may wait to be written; what comes then is dropped. */
  readonly maxWaiting: number;
  /** Nonces written by one call. */
  readonly maxBatch: number;
  /** Time without attempts after Redis failed; what comes meanwhile is dropped. */
  readonly restMs: number;
}

const MIRROR_BUFFER_DEFAULTS: MirrorBufferOptions = {
  // About 200 bytes each: 10 MB while a Redis hangs.
  maxWaiting: 50_000,
  maxBatch: 500,
  restMs: 1_000,
};

export interface MirrorBufferPorts {
  readonly store: Pick<MirrorStore, 'shardOf' | 'write'>;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

interface Waiting {
  next: MirroredNext | null;
  readonly nonces: Map<number, MirroredNonce>;
}

type ShardQueue = Map<Submitter, Waiting>;

/**
 * Brings what was decided to the mirror, many facts by one call and one call per shard at a time. Of
 * several facts about one nonce only the latest waits. What finds no room, or meets a Redis that
 * does not answer, is dropped and counted: the comparison with Postgres brings it later.
 */
export class MirrorBuffer implements Mirror {
  private readonly options: MirrorBufferOptions;
  private readonly queues = new Map<number, ShardQueue>();
  private readonly flights = new Map<number, Promise<void>>();
  private count = 0;
  private restUntilMs = 0;
  private stopped = false;

  constructor(
    private readonly ports: MirrorBufferPorts,
    options: Partial<MirrorBufferOptions> = {},
  ) {
    this.options = Object.freeze({ ...MIRROR_BUFFER_DEFAULTS, ...options });
  }

  tell(allocations: readonly Allocation[]): void {
    if (this.stopped || this.ports.clock.monotonicMs() < this.restUntilMs) {
      this.counted('dropped', allocations.length);
      return;
    }
    for (const allocation of allocations) this.add(allocation);
    this.gauge();
  }

  /** Resolves once nothing waits and nothing is on its way. */
  async idle(): Promise<void> {
    while (this.flights.size > 0) await Promise.all(this.flights.values());
  }

  /** Takes no more, and gives up what is not written at the deadline. */
  async stop(deadlineMs: number): Promise<void> {
    this.stopped = true;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, deadlineMs);
    });
    await Promise.race([this.idle(), late]);
    clearTimeout(timer);
    this.drop();
  }

  private add(allocation: Allocation): void {
    const { submitter } = allocation;
    const shard = this.ports.store.shardOf(submitter);
    const queue = this.queueOf(shard);
    const known = queue.get(submitter)?.nonces.get(allocation.nonce);
    if (known === undefined && this.count >= this.options.maxWaiting) {
      this.counted('dropped', 1);
      return;
    }
    const waiting = queue.get(submitter) ?? { next: null, nonces: new Map() };
    queue.set(submitter, waiting);
    const fact = toMirrored(allocation);
    if (known === undefined) this.count += 1;
    if (known === undefined || isLaterNonce(fact, known)) waiting.nonces.set(fact.nonce, fact);
    const next = nextAfter(allocation);
    if (next !== null && (waiting.next === null || isLaterNext(next, waiting.next))) {
      waiting.next = next;
    }
    this.fly(shard);
  }

  private queueOf(shard: number): ShardQueue {
    const known = this.queues.get(shard);
    if (known !== undefined) return known;
    const queue: ShardQueue = new Map();
    this.queues.set(shard, queue);
    return queue;
  }

  private fly(shard: number): void {
    if (this.flights.has(shard)) return;
    const flight = this.writeAll(shard).finally(() => {
      this.flights.delete(shard);
    });
    this.flights.set(shard, flight);
  }

  /** Never rejects. */
  private async writeAll(shard: number): Promise<void> {
    const queue = this.queueOf(shard);
    // Whatever else is told in this turn goes along.
    await Promise.resolve();
    while (queue.size > 0) {
      const { news, size } = this.take(queue);
      try {
        await this.ports.store.write(news);
        this.counted('written', size);
      } catch {
        this.counted('failed', size);
        this.restUntilMs = this.ports.clock.monotonicMs() + this.options.restMs;
        this.drop();
      }
      this.gauge();
    }
  }

  private take(queue: ShardQueue): { news: readonly MirrorNews[]; size: number } {
    const news: MirrorNews[] = [];
    let size = 0;
    for (const [submitter, { next, nonces }] of queue) {
      const room = this.options.maxBatch - size;
      if (room <= 0) break;
      const some = [...nonces.values()].slice(0, room);
      news.push({ submitter, next, nonces: some });
      size += some.length;
      if (some.length === nonces.size) queue.delete(submitter);
      else for (const { nonce } of some) nonces.delete(nonce);
    }
    this.count -= size;
    return { news, size };
  }

  private drop(): void {
    this.counted('dropped', this.count);
    for (const queue of this.queues.values()) queue.clear();
    this.count = 0;
    this.gauge();
  }

  private counted(result: 'written' | 'failed' | 'dropped', by: number): void {
    if (by > 0) this.ports.metrics.count('nonce_mirror_records_total', { result }, by);
  }

  private gauge(): void {
    this.ports.metrics.set('nonce_mirror_waiting', {}, this.count);
  }
}
