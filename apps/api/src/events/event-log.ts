import type { NonceEvents } from '@noncekit/nonce-core';

export interface LoggedEvent {
  /** `<start of this process>-<number>`: tells events of one process from another's. */
  readonly id: string;
  readonly name: string;
  readonly data: unknown;
}

export type EventListener = (event: LoggedEvent) => void;

/** Enough for a client that reconnects within seconds at a thousand events a second. */
const KEPT_MAX = 4_096;

/** The latest events of this process, for streams that begin or go on. */
export class EventLog {
  private readonly start = Date.now().toString(36);
  private readonly kept: LoggedEvent[] = [];
  private readonly listeners = new Set<EventListener>();
  private count = 0;

  constructor(events: Pick<NonceEvents, 'onAny'>) {
    events.onAny((name, payload) => {
      this.add(name, payload);
    });
  }

  get listening(): number {
    return this.listeners.size;
  }

  add(name: string, data: unknown): void {
    this.count += 1;
    const event = { id: `${this.start}-${this.count}`, name, data };
    this.kept.push(event);
    if (this.kept.length > KEPT_MAX) this.kept.shift();
    for (const listener of this.listeners) listener(event);
  }

  /** Events after that one; null when they are not all known here. */
  after(id: string): readonly LoggedEvent[] | null {
    if (id === `${this.start}-${this.count}`) return [];
    const at = this.kept.findIndex((event) => event.id === id);
    return at === -1 ? null : this.kept.slice(at + 1);
  }

  /** From now on nobody can go on from an earlier id: something may be missing between. */
  forget(): void {
    this.kept.length = 0;
    this.count += 1;
  }

  /** @returns the function that ends it. */
  listen(listener: EventListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
