import { randomUUID } from 'node:crypto';
import { NonceError } from '../domain/errors/nonce-error';
import { NOTHING_RECONCILED, type Reconciliation } from '../domain/reconciliation';
import type { Submitter } from '../domain/submitter';
import type {
  PagedSubmitter,
  ReconcileOrder,
  ReconciliationStore,
} from '../ports/reconciliation-store.port';
import type { StatementParameters } from './generated/sql';
import type { StatementRunner } from './statement-runner';

interface Body extends Omit<Reconciliation, 'dryRun' | 'startedAt' | 'endedAt'> {
  readonly dry_run: boolean;
  readonly started_at: string;
  readonly ended_at: string | null;
}

interface PageRow {
  readonly submitter: string;
  readonly latest: string | null;
  readonly next: string;
  readonly ceiling: string;
  readonly own_window: number | null;
}

/** The one that runs may end between the two looks of a statement. */
const ATTEMPTS = 3;

export class PostgresReconciliationStore implements ReconciliationStore {
  constructor(private readonly runner: StatementRunner) {}

  async begin(
    order: ReconcileOrder,
    runner: string | null,
  ): ReturnType<ReconciliationStore['begin']> {
    const { beginReconciliation } = this.runner.statements;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const [row] = await this.runner.run<
        { begun: boolean; body: Body },
        StatementParameters['beginReconciliation']
      >(beginReconciliation, {
        id: randomUUID(),
        ...order,
        runner,
        counts: JSON.stringify(NOTHING_RECONCILED),
      });
      if (row !== undefined) return { begun: row.begun, reconciliation: fromBody(row.body) };
    }
    const context = { store: 'postgres', reason: 'reconciliations begin and end at once' };
    throw new NonceError('NONCE_STORE_UNAVAILABLE', { context });
  }

  async claim(runner: string, silentMs: number): Promise<Reconciliation | null> {
    const rows = await this.runner.run<{ body: Body }, StatementParameters['claimReconciliation']>(
      this.runner.statements.claimReconciliation,
      { runner, silentMs },
    );
    return first(rows);
  }

  async report(one: Reconciliation, runner: string): Promise<Reconciliation | null> {
    const rows = await this.runner.run<{ body: Body }, StatementParameters['reportReconciliation']>(
      this.runner.statements.reportReconciliation,
      {
        id: one.id,
        runner,
        cursor: one.cursor,
        counts: JSON.stringify(one.counts),
        problems: JSON.stringify(one.problems),
        state: one.state,
      },
    );
    return first(rows);
  }

  async find(id: string): Promise<Reconciliation | null> {
    const rows = await this.runner.run<{ body: Body }, StatementParameters['findReconciliation']>(
      this.runner.statements.findReconciliation,
      { id },
    );
    return first(rows);
  }

  async page({
    behind,
    scope,
    limit,
  }: Parameters<ReconciliationStore['page']>[0]): Promise<readonly PagedSubmitter[]> {
    const rows = await this.runner.run<PageRow, StatementParameters['pageSubmitters']>(
      this.runner.statements.pageSubmitters,
      { behind, hot: scope === 'hot', rowLimit: limit },
    );
    return rows.map(({ submitter, latest, next, ceiling, own_window: window }) => ({
      submitter: submitter as Submitter,
      latest: latest === null ? null : Number(latest),
      next: Number(next),
      ceiling: Number(ceiling),
      window,
    }));
  }
}

function first(rows: readonly { readonly body: Body }[]): Reconciliation | null {
  const row = rows[0];
  return row === undefined ? null : fromBody(row.body);
}

function fromBody(body: Body): Reconciliation {
  const { id, scope, actor, reason, state, total, cursor, counts, problems } = body;
  return {
    ...{ id, scope, actor, reason, state, total, cursor, counts, problems },
    dryRun: body.dry_run,
    startedAt: new Date(body.started_at),
    endedAt: body.ended_at === null ? null : new Date(body.ended_at),
  };
}
