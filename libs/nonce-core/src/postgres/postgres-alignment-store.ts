import type { Hex } from '../domain/brand';
import { NonceError } from '../domain/errors/nonce-error';
import type { QuarantinePolicy } from '../domain/quarantine-policy';
import type { Submitter } from '../domain/submitter';
import type {
  AlignmentReport,
  AlignmentStore,
  ChainObservation,
  FloorRaise,
  LoweredFloor,
} from '../ports/submitter-store.port';
import type { Statement, StatementParameters } from './generated/sql';
import type { StatementRunner, Unguarded } from './statement-runner';

/** Rows settled under one lock; a backlog above this is left for the next alignment. */
const ROWS_PER_ALIGNMENT = 1_000;
/** Numbers that one proven reorg may reopen; a foreign wallet that was further ahead stays skipped. */
const REOPENED_MAX = 10_000;

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

interface RaiseRow {
  readonly count: string;
  readonly previous_count: string;
  readonly block_number: string;
  readonly block_hash: Hex;
}

interface LoweredRow {
  readonly verdict: LoweredFloor['verdict'];
  readonly chain_latest: string;
  readonly reopened: string;
}

/** Moves floors in one statement under the state row's lock. */
export class PostgresAlignmentStore implements AlignmentStore {
  constructor(
    private readonly runner: StatementRunner,
    private readonly quarantine: QuarantinePolicy,
  ) {}

  align(observation: ChainObservation): Promise<AlignmentReport | null> {
    return this.run(this.runner.statements.alignSubmitter, observation);
  }

  foresee(observation: ChainObservation): Promise<AlignmentReport | null> {
    return this.run(this.runner.statements.foreseeAlignment, observation);
  }

  async raisesAbove(submitter: Submitter, aboveCount: number): Promise<readonly FloorRaise[]> {
    const rows = await this.runner.run<RaiseRow, StatementParameters['floorRaises']>(
      this.runner.statements.floorRaises,
      { submitter, aboveCount },
    );
    return rows.map((row) => ({
      count: Number(row.count),
      previousCount: Number(row.previous_count),
      block: { number: Number(row.block_number), hash: row.block_hash },
    }));
  }

  async lower(proof: Parameters<AlignmentStore['lower']>[0]): Promise<LoweredFloor | null> {
    const rows = await this.runner.run<LoweredRow, Unguarded<StatementParameters['lowerFloor']>>(
      this.runner.statements.lowerFloor,
      {
        submitter: proof.submitter,
        seenCount: proof.seen,
        toCount: proof.to,
        replaced: proof.replaced,
        rowLimit: REOPENED_MAX,
        quarantineMs: this.quarantine.ms,
        release: this.quarantine.release,
      },
    );
    const row = rows[0];
    if (row === undefined) return null;
    const { verdict, chain_latest, reopened } = row;
    return { verdict, chainLatest: Number(chain_latest), reopened: Number(reopened) };
  }

  private async run(
    statement: Statement<StatementParameters['alignSubmitter']>,
    observation: ChainObservation,
  ): Promise<AlignmentReport | null> {
    const { submitter, genesisHash } = observation;
    const rows = await this.runner.run<AlignmentRow, StatementParameters['alignSubmitter']>(
      statement,
      {
        submitter,
        latestCount: observation.latestCount,
        finalizedCount: observation.finalizedCount,
        genesisHash,
        rowLimit: ROWS_PER_ALIGNMENT,
        blockNumber: observation.block?.number ?? null,
        blockHash: observation.block?.hash ?? null,
        deepNumber: observation.deepNumber ?? null,
        delegated: observation.delegated ?? null,
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
