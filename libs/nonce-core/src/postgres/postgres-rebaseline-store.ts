import type {
  RebaselineAnswer,
  RebaselineOrder,
  RebaselineStore,
} from '../ports/rebaseline-store.port';
import type { StatementParameters } from './generated/sql';
import type { StatementRunner, Unguarded } from './statement-runner';

interface RebaselineRow {
  readonly verdict: RebaselineAnswer['verdict'];
  readonly known_genesis: string | null;
  readonly generation: number;
  readonly epoch: string;
  readonly next_nonce: string;
  readonly kept: string;
  readonly ended: string;
}

/** Starts chain generations in one statement under the state row's lock. */
export class PostgresRebaselineStore implements RebaselineStore {
  constructor(private readonly runner: StatementRunner) {}

  async rebaseline(order: RebaselineOrder): Promise<RebaselineAnswer | null> {
    const { baseline, reason, dryRun } = order;
    const parameters: Unguarded<StatementParameters['rebaselineSubmitter']> = {
      submitter: baseline.submitter,
      genesisHash: baseline.genesisHash ?? '',
      startNonce: baseline.startNonce,
      pendingCount: baseline.pendingCount,
      latestCount: baseline.chainLatestCount ?? baseline.startNonce,
      finalizedCount: baseline.chainFinalizedCount,
      reason,
      dryRun,
      quarantineMs: baseline.quarantine.ms,
      release: baseline.quarantine.release,
    };
    const rows = await this.runner.run<RebaselineRow, typeof parameters>(
      this.runner.statements.rebaselineSubmitter,
      parameters,
    );
    const row = rows[0];
    if (row === undefined) return null;
    return {
      verdict: row.verdict,
      knownGenesis: row.known_genesis,
      generation: row.generation,
      epoch: Number(row.epoch),
      nextNonce: Number(row.next_nonce),
      kept: Number(row.kept),
      ended: Number(row.ended),
    };
  }
}
