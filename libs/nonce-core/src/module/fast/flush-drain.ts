import type { OnApplicationShutdown } from '@nestjs/common';
import type { Logger } from '../../ports/logger.port';

/** One pass over everything that waits; resolves when nothing waits any more, or on the signal. */
export type FlushAll = (signal: AbortSignal) => Promise<void>;

/** The same for what waits at the moment, bounded. */
export type FlushWaiting = (deadlineMs: number) => Promise<void>;

/** Flushes on this node what waits now, in the background; one pass at a time. */
export class FlushDrain implements OnApplicationShutdown {
  private readonly ending = new AbortController();
  private running: Promise<void> | null = null;

  constructor(
    private readonly flushAll: FlushAll | null,
    private readonly logger: Logger,
    private readonly flushWaiting: FlushWaiting | null = null,
  ) {}

  /** The last flush of a process that ends. Never rejects: what is left waits for the next worker. */
  async finish(deadlineMs: number): Promise<void> {
    if (this.flushWaiting === null || deadlineMs <= 0) return;
    try {
      await this.flushWaiting(deadlineMs);
    } catch (error) {
      this.logger.warn('what waits is left to the next worker', { reason: String(error) });
    }
  }

  start(): void {
    if (this.flushAll === null || this.ending.signal.aborted) return;
    this.running ??= this.flushAll(this.ending.signal)
      .catch((error: unknown) => {
        this.logger.warn('what waits was not flushed', { reason: String(error) });
      })
      .finally(() => {
        this.running = null;
      });
  }

  async onApplicationShutdown(): Promise<void> {
    this.ending.abort();
    await this.running;
  }
}
