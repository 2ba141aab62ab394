import { engineOf, type RoutedEngine } from '../domain/engine-mode';
import type { Submitter } from '../domain/submitter';
import type { Clock } from '../ports/clock.port';
import type { Logger } from '../ports/logger.port';
import type { ModeSource } from '../ports/mode-source.port';
import type { ModeSnapshot, ModeStore } from '../ports/mode-store.port';
import { hasChanged } from './mode-change';

export interface ModeViewPorts {
  readonly store: Pick<ModeStore, 'read'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Submitters whose chain takes nonces one by one: only the reliable engine issues so. */
  readonly oneByOne?: (submitter: Submitter) => boolean;
}

type Listener = (now: ModeSnapshot) => void;

/**
 * What this node believes about the mode. Behind by one poll at most while Postgres answers; while
 * it does not, the last view stays: what a stale node does is refused where it matters.
 */
export class ModeView implements ModeSource {
  private readonly listeners: Listener[] = [];
  private readonly waiting = new Set<() => void>();
  private running: Promise<ModeSnapshot> | null = null;
  private next: Promise<ModeSnapshot> | null = null;
  private failing = false;

  private constructor(
    private readonly ports: ModeViewPorts,
    private known: ModeSnapshot,
  ) {}

  /** @throws NonceError NONCE_STORE_UNAVAILABLE; NONCE_INTERNAL where no mode was initialised. */
  static async open(ports: ModeViewPorts): Promise<ModeView> {
    return new ModeView(ports, await ports.store.read());
  }

  current(): ModeSnapshot {
    return this.known;
  }

  /** Never rejects: what cannot be read stays as it was. */
  refresh(): Promise<ModeSnapshot> {
    // One that is on its way may have been read before what its caller has just met.
    if (this.running === null) return this.begin();
    this.next ??= this.running.then(() => {
      this.next = null;
      return this.begin();
    });
    return this.next;
  }

  async waitForChange(epoch: number, timeoutMs: number): Promise<ModeSnapshot> {
    if (this.known.epoch > epoch || timeoutMs <= 0) return this.known;
    const patience = new AbortController();
    const woken = (): void => {
      if (this.known.epoch > epoch) patience.abort();
    };
    this.waiting.add(woken);
    try {
      await this.ports.clock.sleep(timeoutMs, patience.signal);
    } finally {
      this.waiting.delete(woken);
    }
    return this.known;
  }

  engineFor(submitter: Submitter): RoutedEngine {
    const { mode, pins } = this.known;
    if (this.ports.oneByOne?.(submitter) === true) return 'reliable';
    return engineOf(mode, pins.size === 0 ? null : (pins.get(submitter) ?? null));
  }

  onChange(listener: Listener): void {
    this.listeners.push(listener);
    this.tell(listener);
  }

  private begin(): Promise<ModeSnapshot> {
    const reading = this.read().finally(() => {
      if (this.running === reading) this.running = null;
    });
    this.running = reading;
    return reading;
  }

  private async read(): Promise<ModeSnapshot> {
    const { store, logger } = this.ports;
    try {
      const before = this.known;
      this.known = await store.read();
      if (this.failing) logger.info('the mode can be read again', { mode: this.known.mode });
      this.failing = false;
      if (hasChanged(before, this.known)) this.changed();
    } catch (error) {
      const { mode, epoch } = this.known;
      // Said once: it is polled several times a second.
      if (!this.failing) {
        logger.warn('the mode cannot be read, the last known one stays', {
          mode,
          epoch,
          reason: String(error),
        });
      }
      this.failing = true;
    }
    return this.known;
  }

  private changed(): void {
    for (const woken of this.waiting) woken();
    for (const listener of this.listeners) this.tell(listener);
  }

  private tell(listener: Listener): void {
    try {
      listener(this.known);
    } catch (error) {
      this.ports.logger.error('a change of the mode was not taken everywhere', {
        epoch: this.known.epoch,
        reason: String(error),
      });
    }
  }
}
