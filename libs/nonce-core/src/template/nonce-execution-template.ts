import { NonceError } from '../domain/errors/nonce-error';
import type { SubmitterInput } from '../domain/submitter';
import type { ChainRegistry } from '../ports/chain.port';
import type { Clock } from '../ports/clock.port';
import type { NonceEngine } from '../ports/engine.port';
import type { Logger } from '../ports/logger.port';
import type { Metrics } from '../ports/metrics.port';
import { backoffMs } from './backoff';
import { CurrentHandler } from './current-handler';
import { earlierEnd } from './earlier-end';
import { HeldAllocations } from './held-allocations';
import { Holding } from './holding';
import { obtainGrant, type SingleGrant } from './obtain-grant';
import { runHandler } from './run-handler';
import { planWork } from './plan-work';
import { RunningHandlers } from './running-handlers';
import { settleAllocation } from './settle-allocation';
import type { SignedTransactions } from './signed-transactions';
import type { SubmitterDefaultsCache } from './submitter-defaults';
import type { TemplateSettings } from './template-settings';
import {
  executionOf,
  type NonceExecution,
  type NonceHandler,
  type NonceWork,
  type WithNonceOptions,
} from './with-nonce';

/** Nonces that one call may lose to other holders, one after the other, before it gives up. */
const MAX_GRANTS = 5;

export interface TemplatePorts {
  readonly engine: Omit<NonceEngine, 'name' | 'inspect'>;
  readonly chains: ChainRegistry;
  readonly transactions: SignedTransactions;
  readonly defaults: Pick<SubmitterDefaultsCache, 'of'>;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/**
 * Allocate, run the handler, settle.
 *
 * Guaranteed: a nonce goes back for clean reuse only when nothing can have been sent with it; a
 * success that could not be recorded is reported as unknown and never run again by itself.
 * Not guaranteed: that a handler which sends without writing an intent is found out; what its
 * errors prove is the table of `classify-handler-error.ts`.
 */
export class NonceExecutionTemplate {
  readonly current = new CurrentHandler();
  readonly held = new HeldAllocations();
  private readonly running: RunningHandlers;

  constructor(
    private readonly ports: TemplatePorts,
    private readonly settings: TemplateSettings,
    private readonly defaultChainId?: number,
  ) {
    this.running = new RunningHandlers(ports.clock);
  }

  async execute<T>(
    submitter: SubmitterInput,
    handler: NonceHandler<T>,
    options: WithNonceOptions = {},
  ): Promise<NonceExecution<T>> {
    const work = await planWork(submitter, options, {
      settings: this.settings,
      defaultChainId: this.defaultChainId,
      defaultsOf: (of) => this.ports.defaults.of(of),
      caller: this.current.context,
    });
    return this.running.once(work, () => this.run(work, handler));
  }

  /** Ends running handlers; what they provably did not expose is given back at the deadline. */
  async stop(deadlineMs: number): Promise<void> {
    const late = await this.running.stop(deadlineMs);
    const unexposed = late.filter((holding) => holding.unexposed);
    for (const holding of late) holding.end();
    const reason = 'the process ended before the handler did';
    const { engine } = this.ports;
    await Promise.allSettled(
      unexposed.map((holding) => engine.markRecyclable(holding.allocation, { reason })),
    );
  }

  private async run<T>(work: NonceWork, handler: NonceHandler<T>): Promise<NonceExecution<T>> {
    const { clock } = this.ports;
    const startedAtMs = clock.monotonicMs();
    const durationMs = () => clock.monotonicMs() - startedAtMs;
    const ports = { ...this.ports, current: this.current, backoffMs: this.settings.backoffMs };
    for (let grants = 1; ; grants += 1) {
      const grant = await obtainGrant(ports, work);
      const { allocation, replayed } = grant;
      if (earlierEnd(grant, work.rerun) === 'done') {
        const notRun = { value: undefined, attempts: 0, durationMs: durationMs(), replayed };
        return executionOf<T>(allocation, notRun);
      }
      const holding = this.hold(grant, work);
      try {
        const run = await runHandler(ports, holding, handler);
        const { end, settlement, attempts } = run;
        if (settlement === 'allocate-again') {
          if (grants >= MAX_GRANTS) throw holding.record.lost ?? new NonceError('NONCE_FENCED');
          await clock.sleep(backoffMs(this.settings.backoffMs, grants), work.signal);
          continue;
        }
        if (settlement === 'run-again') throw new NonceError('NONCE_INTERNAL');
        const settled = await settleAllocation(ports, settlement, {
          holding,
          run,
          ttlMs: work.ttlMs,
        });
        const value = end.kind === 'success' ? (end.value as T) : undefined;
        if (settlement === 'used') this.held.remove(settled);
        return executionOf(settled, { value, attempts, durationMs: durationMs(), replayed });
      } finally {
        this.release(holding, durationMs());
      }
    }
  }

  private hold(grant: SingleGrant, work: NonceWork): Holding {
    const holding = new Holding(this.ports, grant, work);
    this.held.add(grant.allocation);
    this.running.add(holding);
    return holding;
  }

  private release(holding: Holding, durationMs: number): void {
    holding.end();
    this.running.remove(holding);
    this.ports.metrics.observe('nonce_template_duration_seconds', {}, durationMs / 1_000);
  }
}
