import type { OnApplicationShutdown } from '@nestjs/common';
import type { Logger } from '../../ports/logger.port';

/** One pass over everything that waits; resolves when nothing waits any more, or on the signal. */
export type FlushAll = (signal: AbortSignal) => Promise<void>;

/** Flushes on this node what waits now, in the background; one pass at a time. */
export class FlushDrain implements OnApplicationShutdown {
  private readonly ending = new AbortController();
  private running: Promise<void> | null = null;

  constructor(
    private readonly flushAll: FlushAll | null,
    private readonly logger: Logger,
  ) {}

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
