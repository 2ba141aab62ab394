import type { BeforeApplicationShutdown, OnApplicationShutdown } from '@nestjs/common';
import type { NonceExecutionTemplate } from '../template/nonce-execution-template';

/** Share of the deadline that is left for the last commands of the engines. */
const ENGINE_DEADLINE_MS = 2_000;

export interface LifecycleParts {
  readonly template: Pick<NonceExecutionTemplate, 'stop'>;
  readonly engines: readonly { stop(deadlineMs: number): Promise<void> }[];
  /** Brings what waits in Redis to Postgres, as far as the time allows; never rejects. */
  readonly finish: (deadlineMs: number) => Promise<void>;
  /** Closed one after the other, in this order. */
  readonly connections: readonly { close(): Promise<void> | void }[];
}

/**
 * Ends what the module started, in the order in which parts need each other: handlers first, then
 * the engines that settle them, then what they queued, then the connections. Nest stops the host's
 * servers in between. Events that are not flushed in time wait in Redis for the next worker.
 */
export class NonceLifecycle implements BeforeApplicationShutdown, OnApplicationShutdown {
  private endsAtMs: number | null = null;

  constructor(
    private readonly parts: LifecycleParts,
    private readonly deadlineMs: number,
  ) {}

  async beforeApplicationShutdown(): Promise<void> {
    this.endsAtMs = performance.now() + this.deadlineMs;
    await this.parts.template.stop(this.deadlineMs);
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.parts.engines.map((engine) => engine.stop(ENGINE_DEADLINE_MS)));
    await this.parts.finish((this.endsAtMs ?? performance.now()) - performance.now());
    for (const connection of this.parts.connections) await connection.close();
  }
}
