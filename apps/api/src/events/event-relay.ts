import type { OnApplicationShutdown } from '@nestjs/common';
import type { Logger } from '@noncekit/nonce-core';
import type { EventLog } from './event-log';

/** What other processes wrote, read from the database. */
export interface RelaySource {
  /** Named in logs. */
  readonly name: string;
  /** Finds the present place, from which on `read` reads; keeps one that it has. */
  begin(): Promise<void>;
  /** Adds to the log what was written since. */
  read(log: Pick<EventLog, 'add'>): Promise<void>;
  /** Gives its place up. */
  end(): void;
}

const LOOK_MS = 500;
/** As long as a client may take to come back by its last id. */
const LINGER_MS = 60_000;

/**
 * Brings what other processes do to the streams of this one: while anybody listens, and for a minute
 * longer, so that whoever reconnects misses nothing.
 */
export class EventRelay implements OnApplicationShutdown {
  private readonly timer: NodeJS.Timeout;
  private reading = false;
  private begun = false;
  private listenedAtMs = 0;

  constructor(
    private readonly sources: readonly RelaySource[],
    private readonly log: EventLog,
    private readonly logger: Logger,
    private readonly lingerMs: number = LINGER_MS,
  ) {
    this.timer = setInterval(() => void this.tick(), LOOK_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** From now on nothing is missed. @throws NonceError NONCE_STORE_UNAVAILABLE. */
  async begin(): Promise<void> {
    this.listenedAtMs = performance.now();
    await Promise.all(this.sources.map((source) => source.begin()));
    this.begun = true;
  }

  /** Never rejects. A source that cannot be read goes on from its place when it can. */
  async tick(): Promise<void> {
    if (this.reading || !this.begun) return;
    if (this.log.listening > 0) this.listenedAtMs = performance.now();
    if (performance.now() - this.listenedAtMs > this.lingerMs) {
      this.end();
      return;
    }
    this.reading = true;
    await Promise.all(this.sources.map((source) => this.readFrom(source)));
    this.reading = false;
  }

  private async readFrom(source: RelaySource): Promise<void> {
    try {
      await source.read(this.log);
    } catch (error) {
      const { name } = source;
      this.logger.warn('events cannot be read', { source: name, reason: String(error) });
    }
  }

  private end(): void {
    this.begun = false;
    for (const source of this.sources) source.end();
    this.log.forget();
  }
}
