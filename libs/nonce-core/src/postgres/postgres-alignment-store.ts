import { NonceError } from '../domain/errors/nonce-error';
import type {
  AlignmentReport,
  AlignmentStore,
  ChainObservation,
} from '../ports/submitter-store.port';
import type { StatementParameters } from './generated/sql';
import type { StatementRunner } from './statement-runner';

/** Rows settled under one lock; a backlog above this is left for the next alignment. */
const ROWS_PER_ALIGNMENT = 1_000;

interface AlignmentRow {
  readonly verdict: 'aligned' | 'reset';
  readonly known_genesis: string;
  readonly chain_latest: string;
  readonly last_chain_nonce: string | null;
  readonly foreign_use: string;
  readonly fenced: string;
  readonly finalized: string;
  readonly stuck: string;
  readonly lowered: string;
}

/** Moves floors in one statement under the state row's lock. */
export class PostgresAlignmentStore implements AlignmentStore {
  constructor(private readonly runner: StatementRunner) {}

  async align(observation: ChainObservation): Promise<AlignmentReport | null> {
    const { submitter, genesisHash } = observation;
    const rows = await this.runner.run<AlignmentRow, StatementParameters['alignSubmitter']>(
      this.runner.statements.alignSubmitter,
      {
        submitter,
        latestCount: observation.latestCount,
        finalizedCount: observation.finalizedCount,
        genesisHash,
        rowLimit: ROWS_PER_ALIGNMENT,
      },
    );
    const row = rows[0];
    if (row === undefined) return null;
    if (row.verdict === 'reset') {
      const context = { submitter, remembered: row.known_genesis, observed: genesisHash };
      throw new NonceError('NONCE_CHAIN_RESET', { context });
    }
    return {
      submitter,
      chainLatest: Number(row.chain_latest),
      lastChainNonce: row.last_chain_nonce === null ? null : Number(row.last_chain_nonce),
      foreignUse: Number(row.foreign_use),
      fenced: Number(row.fenced),
      finalized: Number(row.finalized),
      stuck: Number(row.stuck),
      lowered: Number(row.lowered),
    };
  }
}
