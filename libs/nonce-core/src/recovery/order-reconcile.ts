import { isNonceError } from '../domain/errors/nonce-error';
import type { ReconcileScope } from '../domain/reconciliation';
import type { Submitter } from '../domain/submitter';
import type { Clock } from '../ports/clock.port';
import type { Logger } from '../ports/logger.port';
import type { AlignmentReport } from '../ports/submitter-store.port';
import type { AlignWithChain } from './align-with-chain';
import type { FullReconcile } from './full-reconcile';

export interface OrderReconcileDeps {
  readonly alignment: Pick<AlignWithChain, 'alignWithChain'>;
  readonly reconcile: Pick<FullReconcile, 'begin'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface OrderReconcileSettings {
  /** Whether anything is ordered. */
  readonly auto: boolean;
  /** Nonces by which a counter may be behind its chain before everything is looked at. */
  readonly floorLagThreshold: number;
}

/** Alignments of one submitter that fail in a row: several sweeps, so that a short outage is none. */
export const FAILURES_UNTIL_ORDERED = 5;
/** What a reconciliation could not mend is not tried again at once. */
const PAUSE_MS = 600_000;
/** A failing chain has many submitters; one of them suffices. */
const FAILING_MAX = 10_000;

/**
 * Aligns, and orders a full reconciliation when the alignments of a submitter keep failing or show a
 * counter far behind its chain: then others may be as far off. At most one per ten minutes and
 * process; what runs already is not ordered again.
 */
export class OrderReconcile implements Pick<AlignWithChain, 'alignWithChain'> {
  private readonly failing = new Map<Submitter, number>();
  private orderedAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly deps: OrderReconcileDeps,
    private readonly settings: OrderReconcileSettings,
  ) {}

  /** @throws NonceError as `AlignWithChain`. */
  async alignWithChain(submitter: Submitter): Promise<AlignmentReport> {
    let report: AlignmentReport;
    try {
      report = await this.deps.alignment.alignWithChain(submitter);
    } catch (error) {
      if (isNonceError(error)) await this.failed(submitter);
      throw error;
    }
    this.failing.delete(submitter);
    if (report.foreignUse >= this.settings.floorLagThreshold) {
      await this.order('all', `${submitter} was ${report.foreignUse} nonces behind its chain`);
    }
    return report;
  }

  /** Orders one; never rejects. */
  async order(scope: ReconcileScope, reason: string): Promise<void> {
    const nowMs = this.deps.clock.monotonicMs();
    if (!this.settings.auto || nowMs - this.orderedAtMs < PAUSE_MS) return;
    this.orderedAtMs = nowMs;
    try {
      const { id } = await this.deps.reconcile.begin({
        ...{ scope, dryRun: false, actor: 'noncekit', reason },
      });
      this.deps.logger.warn('a full reconciliation was ordered', { id, scope, reason });
    } catch (error) {
      // One that runs already looks at the same.
      if (isNonceError(error, 'NONCE_PRECONDITION')) return;
      this.orderedAtMs = Number.NEGATIVE_INFINITY;
      this.deps.logger.warn('no reconciliation could be ordered', { reason: String(error) });
    }
  }

  private async failed(submitter: Submitter): Promise<void> {
    const count = (this.failing.get(submitter) ?? 0) + 1;
    if (count < FAILURES_UNTIL_ORDERED) {
      if (this.failing.size < FAILING_MAX) this.failing.set(submitter, count);
      return;
    }
    this.failing.clear();
    await this.order('hot', `alignments of ${submitter} failed ${count} times in a row`);
  }
}
