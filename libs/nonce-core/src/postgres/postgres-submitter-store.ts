import type { Allocation, Exposure } from '../domain/allocation';
import { ALLOCATION_STAGES, stagesOf, type AllocationStage } from '../domain/allocation-state';
import type { Nonce } from '../domain/nonce';
import type { Submitter } from '../domain/submitter';
import type { SubmitterView } from '../domain/submitter-view';
import type {
  NonceHistoryEntry,
  Page,
  SubmitterDefaults,
  SubmitterSettings,
  SubmitterStore,
} from '../ports/submitter-store.port';
import { toAllocation, type AllocationRow } from './allocation-row';
import type { StatementParameters } from './generated/sql';
import { toHistory, type GrantRow } from './nonce-history';
import type { StatementRunner } from './statement-runner';
import { toSubmitterView, type SubmitterRow } from './submitter-row';

interface NonceRow extends AllocationRow {
  readonly generation: number;
}

interface DefaultsRow {
  readonly default_ttl_ms: number | null;
  readonly default_exposure: Exposure | null;
}

type NoncesQuery = Parameters<SubmitterStore['nonces']>[0];

/** Reads and settings for operators, over the key and partial indexes; decides no allocation. */
export class PostgresSubmitterStore implements SubmitterStore {
  constructor(private readonly runner: StatementRunner) {}

  async view(submitter: Submitter, defaultMaxInFlight: number): Promise<SubmitterView | null> {
    const [row] = await this.describe({
      after: '',
      submitter,
      search: null,
      rowLimit: 1,
      defaultWindow: defaultMaxInFlight,
    });
    return row ?? null;
  }

  /** Pages in key order, so that a submitter created meanwhile moves nobody to another page. */
  async list(query: Parameters<SubmitterStore['list']>[0]): Promise<Page<SubmitterView>> {
    const rows = await this.describe({
      after: query.cursor ?? '',
      submitter: null,
      search: query.search ?? null,
      // One more than asked for tells whether another page follows.
      rowLimit: query.limit + 1,
      defaultWindow: query.defaultMaxInFlight,
    });
    const items = rows.slice(0, query.limit);
    const last = items.at(-1);
    const more = rows.length > query.limit && last !== undefined;
    return { items, nextCursor: more ? last.submitter : null };
  }

  async nonces(query: NoncesQuery): Promise<readonly Allocation[]> {
    const rows = await this.runner.run<AllocationRow, StatementParameters['listNonces']>(
      this.runner.statements.listNonces,
      {
        submitter: query.submitter,
        stages: stagesWanted(query),
        fromNonce: query.from ?? null,
        toNonce: query.to ?? null,
        rowLimit: query.limit,
      },
    );
    return rows.map(toAllocation);
  }

  async nonce(
    submitter: Submitter,
    nonce: Nonce,
  ): Promise<{ allocation: Allocation; history: readonly NonceHistoryEntry[] } | null> {
    const key = { submitter, nonce };
    const [current, grants] = await Promise.all([
      this.runner.run<NonceRow, typeof key>(this.runner.statements.findNonce, key),
      this.runner.run<GrantRow, typeof key>(this.runner.statements.nonceHistory, key),
    ]);
    const row = current[0];
    if (row === undefined) return null;
    const allocation = toAllocation(row);
    // Two reads: a grant that ended in between may be in both, and is told once.
    const ended = grants.filter((grant) => grant.id !== row.id);
    return { allocation, history: toHistory(ended, allocation, row.generation > 0) };
  }

  async defaults(submitter: Submitter): Promise<SubmitterDefaults | null> {
    const rows = await this.runner.run<DefaultsRow, StatementParameters['submitterDefaults']>(
      this.runner.statements.submitterDefaults,
      { submitter },
    );
    const row = rows[0];
    return row === undefined ? null : { ttlMs: row.default_ttl_ms, exposure: row.default_exposure };
  }

  async updateSettings(submitter: Submitter, settings: SubmitterSettings): Promise<boolean> {
    const rows = await this.runner.run(this.runner.statements.updateSettings, {
      submitter,
      settings: JSON.stringify(settings),
    });
    return rows.length > 0;
  }

  async setPaused(submitter: Submitter, paused: boolean, reason: string): Promise<boolean> {
    const rows = await this.runner.run(this.runner.statements.setPaused, {
      submitter,
      paused,
      reason,
    });
    return rows.length > 0;
  }

  async dueForAlignment(
    query: Parameters<SubmitterStore['dueForAlignment']>[0],
  ): Promise<readonly Submitter[]> {
    if (query.chainIds.length === 0) return [];
    const rows = await this.runner.run<
      { submitter: string },
      StatementParameters['dueForAlignment']
    >(this.runner.statements.dueForAlignment, {
      chainIds: query.chainIds,
      olderThanMs: query.olderThanMs,
      rowLimit: query.limit,
    });
    return rows.map((row) => row.submitter as Submitter);
  }

  private async describe(
    which: StatementParameters['listSubmitters'],
  ): Promise<readonly SubmitterView[]> {
    const { listSubmitters } = this.runner.statements;
    const rows = await this.runner.run<SubmitterRow, typeof which>(listSubmitters, which);
    return rows.map(toSubmitterView);
  }
}

/** Stages that satisfy both filters; null when neither is given. */
function stagesWanted({ status, stage }: NoncesQuery): readonly AllocationStage[] | null {
  if (status === undefined && stage === undefined) return null;
  const ofStatus = status === undefined ? ALLOCATION_STAGES : stagesOf(status);
  return ofStatus.filter((candidate) => stage === undefined || candidate === stage);
}
