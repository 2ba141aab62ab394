import { randomUUID } from 'node:crypto';
import { NonceError } from '../domain/errors/nonce-error';
import {
  addFindings,
  type ReconcileCounts,
  type ReconcileProblem,
  type Reconciliation,
} from '../domain/reconciliation';
import type { Submitter } from '../domain/submitter';
import type { AccessStore } from '../ports/access-store.port';
import type { ChainRegistry } from '../ports/chain.port';
import type { Clock } from '../ports/clock.port';
import type { Logger } from '../ports/logger.port';
import type { Metrics } from '../ports/metrics.port';
import type {
  PagedSubmitter,
  ReconcileOrder,
  ReconciliationStore,
} from '../ports/reconciliation-store.port';
import type { AlignmentReport } from '../ports/submitter-store.port';
import type { AlignWithChain } from './align-with-chain';
import type { ContinuityWatch } from './continuity-watch';

export interface FullReconcileDeps {
  readonly store: ReconciliationStore;
  readonly alignment: Pick<AlignWithChain, 'alignWithChain' | 'foresee'>;
  /** null where no witness is kept: then only the chain is compared. */
  readonly witnesses: Pick<ContinuityWatch, 'compareWitnesses'> | null;
  readonly chains: ChainRegistry;
  readonly audit: Pick<AccessStore, 'audit'>;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

export interface ReconcileRun {
  /** Told after each page of submitters, once it is durable. */
  readonly onProgress?: (reconciliation: Reconciliation) => void;
  /** Ends the run after the page at hand; the reconciliation is then `aborted`. */
  readonly signal?: AbortSignal;
}

/** What the reconciliation of one submitter found; with `dryRun` what it would change. */
export interface SubmitterReconciliation extends AlignmentReport {
  readonly dryRun: boolean;
  /** The database knew less than a witness of it, and is recovered. */
  readonly behindWitness: boolean;
}

const RECONCILE_DEFAULTS = {
  /** Submitters per page: what a crash repeats at most. */
  pageSize: 50,
  /** Submitters compared with their chains at the same time. */
  concurrency: 8,
  /** Longer than a page whose every question runs into its time limit. */
  silentMs: 60_000,
  /** One tick of a worker; a long reconciliation takes many. */
  tickMs: 5_000,
} as const;

type Settings = { readonly [Name in keyof typeof RECONCILE_DEFAULTS]: number };

interface Finding {
  readonly counts: Partial<ReconcileCounts>;
  readonly problem?: ReconcileProblem;
}

/**
 * Compares everything that is recorded with the witnesses and with the chains, and mends it: lost
 * submitters go to recovery, floors to where the chains are. It deletes nothing.
 *
 * Guarantees: progress is durable per page, so that a crash costs a page, which is repeated to no
 * further effect (K11); of several processes one carries it out at a time; one of each kind runs.
 * Not guaranteed: that a dry run foresees what receipts settle, or what a recovery quarantines; it
 * changes nothing.
 */
export class FullReconcile {
  private readonly runner = randomUUID();
  private readonly settings: Settings;

  constructor(
    private readonly deps: FullReconcileDeps,
    settings: Partial<Settings> = {},
  ) {
    this.settings = { ...RECONCILE_DEFAULTS, ...settings };
  }

  /** Leaves the work to the workers. @throws NonceError NONCE_PRECONDITION while one of its kind runs. */
  begin(order: ReconcileOrder): Promise<Reconciliation> {
    return this.enter(order, null);
  }

  /** null when there is no such reconciliation. */
  find(id: string): Promise<Reconciliation | null> {
    return this.deps.store.find(id);
  }

  /**
   * Carries it out here. A submitter that fails is named in the report and keeps no other waiting.
   * @throws NonceError NONCE_PRECONDITION while one of its kind runs, NONCE_STORE_UNAVAILABLE.
   */
  async reconcile(order: ReconcileOrder, run: ReconcileRun = {}): Promise<Reconciliation> {
    const runner = randomUUID();
    let one = await this.enter(order, runner);
    while (one.state === 'running') {
      const aborted = run.signal?.aborted === true;
      one = await this.save(aborted ? { ...one, state: 'aborted' } : await this.turn(one), runner);
      run.onProgress?.(one);
    }
    return one;
  }

  /**
   * Compares one submitter with its witness and its chain, here and now.
   * @throws NonceError as `AlignWithChain`, NONCE_RECOVERY_HOLD, NONCE_STORE_UNAVAILABLE.
   */
  async reconcileOne(submitter: Submitter, dryRun: boolean): Promise<SubmitterReconciliation> {
    const { alignment, witnesses, metrics } = this.deps;
    const compared = await witnesses?.compareWitnesses(dryRun, submitter);
    const behindWitness = compared !== undefined && compared.unknown + compared.behind > 0;
    const report = dryRun
      ? await alignment.foresee(submitter)
      : await alignment.alignWithChain(submitter);
    metrics.count('nonce_reconcile_total', { result: 'done' });
    return { dryRun, behindWitness, ...report };
  }

  /** One tick of a worker: goes on with what waits, for a bounded time. */
  async tick(signal?: AbortSignal): Promise<void> {
    const { store, clock } = this.deps;
    const untilMs = clock.monotonicMs() + this.settings.tickMs;
    let one = await store.claim(this.runner, this.settings.silentMs);
    while (one?.state === 'running' && signal?.aborted !== true && clock.monotonicMs() < untilMs) {
      one = await this.save(await this.turn(one), this.runner);
    }
  }

  private async enter(order: ReconcileOrder, runner: string | null): Promise<Reconciliation> {
    const { begun, reconciliation } = await this.deps.store.begin(order, runner);
    const { id, scope, dryRun } = reconciliation;
    if (!begun) {
      throw new NonceError('NONCE_PRECONDITION', {
        message: 'Another reconciliation of its kind is running: wait for its end.',
        context: { id, scope, dryRun },
      });
    }
    const { actor, reason } = order;
    await this.deps.audit.audit({
      ...{ actor, reason, action: 'reconcile', subject: id, detail: { scope, dryRun } },
    });
    return reconciliation;
  }

  /** The witnesses first, then page after page. */
  private async turn(one: Reconciliation): Promise<Reconciliation> {
    const { pageSize: limit } = this.settings;
    const begun = one.cursor === '' ? await this.withWitnesses(one) : one;
    const page = await this.deps.store.page({ behind: one.cursor, scope: one.scope, limit });
    const last = page.at(-1);
    if (last === undefined) return { ...begun, state: 'done' };
    const found = await this.findAll(page, one.dryRun);
    const after = found.reduce(
      (so, { counts, problem }) => addFindings(so, counts, problem === undefined ? [] : [problem]),
      begun,
    );
    return { ...after, cursor: last.submitter, state: page.length < limit ? 'done' : 'running' };
  }

  private async withWitnesses(one: Reconciliation): Promise<Reconciliation> {
    const compared = await this.deps.witnesses?.compareWitnesses(one.dryRun);
    return compared === undefined ? one : addFindings(one, compared);
  }

  private async findAll(
    page: readonly PagedSubmitter[],
    dryRun: boolean,
  ): Promise<readonly Finding[]> {
    const waiting = [...page];
    const found: Finding[] = [];
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        found.push(await this.findOne(next, dryRun));
      }
    };
    await Promise.all(Array.from({ length: this.settings.concurrency }, work));
    return found;
  }

  private async findOne(paged: PagedSubmitter, dryRun: boolean): Promise<Finding> {
    const { submitter } = paged;
    try {
      const counts = await this.compare(paged, dryRun);
      this.deps.metrics.count('nonce_reconcile_total', { result: 'done' });
      return { counts: { submitters: 1, ...counts } };
    } catch (error) {
      if (!(error instanceof NonceError) || error.code === 'NONCE_STORE_UNAVAILABLE') throw error;
      const { code } = error;
      this.deps.metrics.count('nonce_reconcile_total', { result: code });
      if (code === 'NONCE_CHAIN_UNKNOWN') return { counts: { submitters: 1, unconfigured: 1 } };
      return { counts: { submitters: 1, failed: 1 }, problem: { submitter, code } };
    }
  }

  private async compare(
    { submitter, latest }: PagedSubmitter,
    dryRun: boolean,
  ): Promise<Partial<ReconcileCounts>> {
    const { alignment } = this.deps;
    const report = dryRun
      ? await alignment.foresee(submitter)
      : await alignment.alignWithChain(submitter);
    const { foreignUse, fenced, finalized, stuck = 0 } = report;
    const raised = report.chainLatest > (latest ?? 0) ? 1 : 0;
    return { foreignUse, fenced, finalized, stuck, raised };
  }

  /** @throws NonceError NONCE_PRECONDITION when another process carries it out by now. */
  private async save(one: Reconciliation, runner: string): Promise<Reconciliation> {
    const saved = await this.deps.store.report(one, runner);
    if (saved === null) {
      throw new NonceError('NONCE_PRECONDITION', {
        message: 'Another process carries the reconciliation on by now.',
        context: { id: one.id },
      });
    }
    if (saved.state !== 'running') {
      const { id, scope, dryRun, state, counts } = saved;
      this.deps.logger.info('reconciliation ended', { id, scope, dryRun, state, ...counts });
    }
    return saved;
  }
}
