import type { Allocation } from '../domain/allocation';
import type { Hex } from '../domain/brand';
import type {
  BurnRecord,
  TrackedAllocation,
  TrackingStore,
  TrackingVerdict,
} from '../ports/tracking-store.port';
import { toAllocation, type AllocationRow } from './allocation-row';
import type { StatementParameters } from './generated/sql';
import type { StatementRunner, Unguarded } from './statement-runner';

interface TrackedRow extends AllocationRow {
  readonly inherited_hashes: number;
  readonly may_lack_hashes: boolean;
  readonly raw_tx: Buffer | null;
  readonly burn_hashes: string | null;
  readonly burn_tx: Buffer | null;
  readonly block_number: string | null;
  readonly block_hash: string | null;
  readonly chain_latest_count: string | null;
  readonly chain_finalized_count: string | null;
  readonly unchanged_ms: number;
  readonly stuck_ms: number | null;
}

interface BacklogRow {
  readonly overdue: string;
  readonly quarantined: string;
  readonly stuck: string;
  readonly recyclable: string;
}

type BurnColumns = Unguarded<StatementParameters['recordBurns']>;
type ApplyColumns = Unguarded<StatementParameters['applyTracking']>;

/** Finds and settles the tracker's work by scanning partial indexes; every claim skips locked rows. */
export class PostgresTrackingStore implements TrackingStore {
  constructor(private readonly runner: StatementRunner) {}

  async reclaimExpired(
    query: Parameters<TrackingStore['reclaimExpired']>[0],
  ): Promise<readonly Allocation[]> {
    const rows = await this.runner.run<AllocationRow, StatementParameters['reclaimExpired']>(
      this.runner.statements.reclaimExpired,
      {
        rowLimit: query.limit,
        quarantineMs: query.quarantine.ms,
        release: query.quarantine.release,
      },
    );
    return rows.map(toAllocation);
  }

  async claimDue(
    query: Parameters<TrackingStore['claimDue']>[0],
  ): Promise<readonly TrackedAllocation[]> {
    if (query.chainIds.length === 0) return [];
    const rows = await this.runner.run<TrackedRow, StatementParameters['claimDue']>(
      this.runner.statements.claimDue,
      {
        stages: query.stages,
        chainIds: query.chainIds,
        rowLimit: query.limit,
        leaseMs: query.leaseMs,
      },
    );
    return rows.map(toTracked);
  }

  async apply(verdicts: readonly TrackingVerdict[]): Promise<ReadonlySet<string>> {
    if (verdicts.length === 0) return new Set();
    const rows = await this.runner.run<{ id: string }, ApplyColumns>(
      this.runner.statements.applyTracking,
      applyColumns(verdicts),
    );
    return new Set(rows.map((row) => row.id));
  }

  async recordBurns(burns: readonly BurnRecord[]): Promise<ReadonlySet<string>> {
    if (burns.length === 0) return new Set();
    const rows = await this.runner.run<{ id: string }, BurnColumns>(
      this.runner.statements.recordBurns,
      {
        ids: burns.map((burn) => burn.id),
        fromStages: burns.map((burn) => burn.from),
        hashesSeen: burns.map((burn) => burn.hashesSeen),
        txHashes: burns.map((burn) => burn.txHash.toLowerCase()),
        rawTxs: burns.map((burn) => Buffer.from(burn.rawTx.slice(2), 'hex')),
        nextLookMs: burns.map((burn) => Math.round(burn.nextLookMs)),
      },
    );
    return new Set(rows.map((row) => row.id));
  }

  async postpone(rows: Parameters<TrackingStore['postpone']>[0]): Promise<void> {
    if (rows.length === 0) return;
    await this.runner.run(this.runner.statements.postponeLooks, {
      ids: rows.map((row) => row.id),
      nextLookMs: rows.map((row) => Math.round(row.nextLookMs)),
    });
  }

  async backlog(): ReturnType<TrackingStore['backlog']> {
    const rows = await this.runner.run<BacklogRow, StatementParameters['trackingBacklog']>(
      this.runner.statements.trackingBacklog,
      {},
    );
    const row = rows[0];
    return {
      overdueReservations: Number(row?.overdue ?? 0),
      quarantined: Number(row?.quarantined ?? 0),
      stuck: Number(row?.stuck ?? 0),
      recyclable: Number(row?.recyclable ?? 0),
    };
  }
}

function applyColumns(verdicts: readonly TrackingVerdict[]): ApplyColumns {
  return {
    ids: verdicts.map((verdict) => verdict.id),
    fromStages: verdicts.map((verdict) => verdict.from),
    toStages: verdicts.map((verdict) => verdict.to),
    hashesSeen: verdicts.map((verdict) => verdict.hashesSeen ?? null),
    txHashes: verdicts.map((verdict) => verdict.txHash?.toLowerCase() ?? null),
    blockNumbers: verdicts.map((verdict) => verdict.block?.number ?? null),
    blockHashes: verdicts.map((verdict) => verdict.block?.hash.toLowerCase() ?? null),
    proofs: verdicts.map((verdict) => verdict.proof ?? null),
    reasons: verdicts.map((verdict) => verdict.reason),
    nextLookMs: verdicts.map((verdict) => Math.round(verdict.nextLookMs)),
    releaseMs: verdicts.map((verdict) => verdict.releaseAfterMs ?? null),
    stuck: verdicts.map((verdict) => verdict.stuck ?? null),
  };
}

function toTracked(row: TrackedRow): TrackedAllocation {
  return {
    ...toAllocation(row),
    inheritedHashes: row.inherited_hashes,
    mayLackHashes: row.may_lack_hashes,
    rawTx: toHex(row.raw_tx),
    burnHashes: (row.burn_hashes?.split(',') ?? []) as Hex[],
    burnTx: toHex(row.burn_tx),
    blockNumber: toNumber(row.block_number),
    blockHash: row.block_hash as Hex | null,
    chainLatestCount: toNumber(row.chain_latest_count),
    chainFinalizedCount: toNumber(row.chain_finalized_count),
    unchangedMs: row.unchanged_ms,
    stuckMs: row.stuck_ms,
  };
}

function toHex(bytes: Buffer | null): Hex | null {
  return bytes === null ? null : `0x${bytes.toString('hex')}`;
}

function toNumber(text: string | null): number | null {
  return text === null ? null : Number(text);
}
