import type { Epoch } from '../domain/epoch';
import { NonceError } from '../domain/errors/nonce-error';
import type { Submitter } from '../domain/submitter';
import type { ServerStart, Witness } from '../domain/witness';
import type {
  ComparedState,
  ContinuityReason,
  ContinuityStore,
  RecordedStart,
  RecoveredState,
  RecoveryRequest,
  ServerFacts,
  SubmitterRecovery,
} from '../ports/continuity-store.port';
import type { StatementParameters } from './generated/sql';
import type { StatementRunner } from './statement-runner';

interface FactsRow {
  readonly system_id: string;
  readonly started_at: string;
  readonly timeline: string;
  readonly start_lsn: string;
  readonly lsn: string;
  readonly recorded: readonly RecordedStart[];
  readonly allocations: boolean;
}

interface StateRow {
  readonly submitter: string;
  readonly epoch: string;
  readonly ceiling: string;
}

interface RecoveryRow {
  readonly submitter: string;
  readonly since_ms: number;
  readonly reason: string;
  readonly finished: boolean;
  readonly total: string;
  readonly open: string;
}

/** Nonces without a row that one call quarantines per submitter: a fraction of the time limit. */
const ROWS_PER_CALL = 2_000;

/** What continuity asks of Postgres, one statement each. */
export class PostgresContinuityStore implements ContinuityStore {
  constructor(private readonly runner: StatementRunner) {}

  async facts(): Promise<ServerFacts> {
    const { serverFacts } = this.runner.statements;
    const [row] = await this.runner.run<FactsRow, object>(serverFacts, {});
    if (row === undefined) {
      const context = { store: 'postgres', reason: 'the server is a standby' };
      throw new NonceError('NONCE_STORE_UNAVAILABLE', { context });
    }
    return {
      server: {
        systemId: row.system_id,
        startedAt: row.started_at,
        timeline: row.timeline,
        lsn: row.lsn,
      },
      startLsn: row.start_lsn,
      recorded: row.recorded,
      allocations: row.allocations,
    };
  }

  async record(server: ServerStart, entry: { how: ContinuityReason; by: string }): Promise<void> {
    const { recordServer } = this.runner.statements;
    await this.runner.run<object, StatementParameters['recordServer']>(recordServer, {
      started: server.startedAt,
      how: entry.how,
      by: entry.by,
    });
  }

  async compare(witnesses: readonly Witness[]): Promise<readonly ComparedState[]> {
    const { compareWitnesses } = this.runner.statements;
    const rows = await this.runner.run<
      StateRow & { unfinished: boolean },
      StatementParameters['compareWitnesses']
    >(compareWitnesses, { submitters: witnesses.map(({ submitter }) => submitter) });
    const known = new Map(rows.map((row) => [row.submitter, row]));
    return witnesses.map((witness) => {
      const row = known.get(witness.submitter);
      if (row === undefined) return { witness, state: null };
      return { witness, state: { ...levelOf(row), unfinished: row.unfinished } };
    });
  }

  async recover(request: RecoveryRequest): Promise<readonly RecoveredState[]> {
    const { recoverSubmitters } = this.runner.statements;
    const rows = await this.runner.run<
      StateRow & { entered: boolean; finished: boolean },
      StatementParameters['recoverSubmitters']
    >(recoverSubmitters, {
      started: request.server.startedAt,
      submitters: request.witnesses.map(({ submitter }) => submitter),
      epochs: request.witnesses.map(({ epoch }) => epoch),
      ceilings: request.witnesses.map(({ ceiling }) => ceiling),
      lostAt: request.lostAt,
      reason: request.reason,
      quarantineMs: request.quarantine.ms,
      release: request.quarantine.release,
      rowLimit: ROWS_PER_CALL,
    });
    return rows.map((row) => ({
      submitter: row.submitter as Submitter,
      ...levelOf(row),
      entered: row.entered,
      finished: row.finished,
    }));
  }

  async leaveSettled(): Promise<readonly Submitter[]> {
    const { leaveSettledRecoveries } = this.runner.statements;
    const rows = await this.runner.run<{ submitter: string }, object>(leaveSettledRecoveries, {});
    return rows.map((row) => row.submitter as Submitter);
  }

  async leave(submitter: Submitter): Promise<boolean> {
    const { leaveRecovery } = this.runner.statements;
    const rows = await this.runner.run<object, StatementParameters['leaveRecovery']>(
      leaveRecovery,
      { submitter },
    );
    return rows.length > 0;
  }

  async recoveries(limit: number): ReturnType<ContinuityStore['recoveries']> {
    const { listRecoveries } = this.runner.statements;
    const rows = await this.runner.run<RecoveryRow, StatementParameters['listRecoveries']>(
      listRecoveries,
      { rowLimit: limit },
    );
    const items = rows.map((row): SubmitterRecovery => ({
      submitter: row.submitter as Submitter,
      since: new Date(row.since_ms),
      reason: row.reason,
      open: Number(row.open),
      finished: row.finished,
    }));
    return { total: Number(rows[0]?.total ?? 0), items };
  }
}

function levelOf(row: StateRow): { readonly epoch: Epoch; readonly ceiling: number } {
  return { epoch: Number(row.epoch) as Epoch, ceiling: Number(row.ceiling) };
}
