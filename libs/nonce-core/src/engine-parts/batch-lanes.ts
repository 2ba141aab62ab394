/** How items are spread over batches. */
export interface BatchShape<Item> {
  /** Items of one key keep their order and share one lane. */
  keyOf(item: Item): string;
  /** How much of a batch the item fills; at least 1. */
  weightOf(item: Item): number;
  readonly maxWeight: number;
  /** What one key may fill of a batch, so that a busy key cannot crowd out the others. */
  readonly maxWeightPerKey: number;
  /** A key with an item in flight waits until that flight has landed. */
  readonly oneFlightPerKey: boolean;
}

interface Lane<Item> {
  readonly key: string;
  readonly items: Item[];
  /** Index of the first item that still waits. */
  head: number;
  holds: number;
  queued: boolean;
}

/** Consumed items are cut off a lane in one go, so that taking stays constant-time. */
const COMPACT_AFTER = 1_024;

/**
 * Waiting items, one first-in-first-out lane per key, keys served in turn. A batch costs time in
 * proportion to its own size, however much waits behind it.
 */
export class BatchLanes<Item> {
  private readonly lanes = new Map<string, Lane<Item>>();
  private readonly ready: Lane<Item>[] = [];
  private count = 0;

  constructor(private readonly shape: BatchShape<Item>) {}

  get waiting(): number {
    return this.count;
  }

  get hasReady(): boolean {
    return this.ready.length > 0;
  }

  add(item: Item): void {
    const lane = this.laneOf(this.shape.keyOf(item));
    lane.items.push(item);
    this.count += 1;
    this.enqueue(lane);
  }

  /** Puts items of one key before everything that waits there. */
  addFirst(key: string, items: readonly Item[]): void {
    const lane = this.laneOf(key);
    lane.items.splice(lane.head, 0, ...items);
    this.count += items.length;
    this.enqueue(lane);
  }

  /** The next batch; empty when every waiting key is held. */
  take(): Item[] {
    const batch: Item[] = [];
    const unfinished: Lane<Item>[] = [];
    let room = this.shape.maxWeight;
    let visited = 0;
    while (visited < this.ready.length && room > 0) {
      const lane = this.ready[visited] as Lane<Item>;
      const used = this.takeFrom(lane, batch, room);
      if (used === 0) break;
      room -= used;
      visited += 1;
      lane.queued = false;
      if (this.shape.oneFlightPerKey) lane.holds += 1;
      if (lane.items.length > 0) unfinished.push(lane);
      else this.forgetIfIdle(lane);
    }
    this.ready.splice(0, visited);
    for (const lane of unfinished) this.enqueue(lane);
    return batch;
  }

  /** Keeps the key out of the next batches until it is released as often as it was held. */
  hold(key: string): void {
    const lane = this.laneOf(key);
    lane.holds += 1;
    if (!lane.queued) return;
    lane.queued = false;
    this.ready.splice(this.ready.indexOf(lane), 1);
  }

  release(key: string): void {
    const lane = this.lanes.get(key);
    if (lane === undefined || lane.holds === 0) return;
    lane.holds -= 1;
    this.enqueue(lane);
    this.forgetIfIdle(lane);
  }

  /** Removes and returns everything that waits, held or not. */
  clear(): Item[] {
    const all: Item[] = [];
    for (const lane of this.lanes.values()) {
      for (const item of lane.items.slice(lane.head)) all.push(item);
      lane.items.length = 0;
      lane.head = 0;
      lane.queued = false;
      this.forgetIfIdle(lane);
    }
    this.ready.length = 0;
    this.count = 0;
    return all;
  }

  /** Weight taken. An item heavier than the limits still goes, alone, when the batch is empty. */
  private takeFrom(lane: Lane<Item>, batch: Item[], room: number): number {
    const limit = Math.min(room, this.shape.maxWeightPerKey);
    let used = 0;
    while (lane.head < lane.items.length) {
      const item = lane.items[lane.head] as Item;
      const weight = this.shape.weightOf(item);
      if (used + weight > limit && batch.length > 0) break;
      batch.push(item);
      used += weight;
      lane.head += 1;
      this.count -= 1;
    }
    compact(lane);
    return used;
  }

  private laneOf(key: string): Lane<Item> {
    let lane = this.lanes.get(key);
    if (lane === undefined) {
      lane = { key, items: [], head: 0, holds: 0, queued: false };
      this.lanes.set(key, lane);
    }
    return lane;
  }

  private enqueue(lane: Lane<Item>): void {
    if (lane.queued || lane.holds > 0 || lane.items.length === 0) return;
    lane.queued = true;
    this.ready.push(lane);
  }

  private forgetIfIdle(lane: Lane<Item>): void {
    if (lane.holds === 0 && lane.items.length === 0) this.lanes.delete(lane.key);
  }
}

function compact<Item>(lane: Lane<Item>): void {
  if (lane.head === lane.items.length) lane.items.length = 0;
  else if (lane.head > COMPACT_AFTER) lane.items.splice(0, lane.head);
  else return;
  lane.head = 0;
}
