import type { BeforeApplicationShutdown, OnApplicationShutdown } from '@nestjs/common';
import type { ReliableEngine } from '../engines/reliable/reliable-engine';
import type { NonceExecutionTemplate } from '../template/nonce-execution-template';
import type { LockConnection } from './lock-connection';
import type { OpenDatabase } from './open-database';

/** Share of the deadline that is left for the last commands of the engine. */
const ENGINE_DEADLINE_MS = 2_000;

/**
 * Ends what the module started, in the order in which parts need each other: handlers first, then
 * the engine that settles them, then the connections. Nest stops the host's servers in between.
 */
export class NonceLifecycle implements BeforeApplicationShutdown, OnApplicationShutdown {
  constructor(
    private readonly template: NonceExecutionTemplate,
    private readonly engine: ReliableEngine,
    private readonly locks: LockConnection,
    private readonly database: OpenDatabase,
    private readonly deadlineMs: number,
  ) {}

  async beforeApplicationShutdown(): Promise<void> {
    await this.template.stop(this.deadlineMs);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.engine.stop(ENGINE_DEADLINE_MS);
    this.locks.close();
    await this.database.close();
  }
}
