import type { Allocation } from '../domain/allocation';
import type { Hex } from '../domain/brand';
import type { Nonce } from '../domain/nonce';
import type { Submitter } from '../domain/submitter';
import type {
  BumpRecord,
  BurnRecord,
  IdleGap,
  SendRecord,
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
  readonly resends: number;
  readonly resends_in_minute: number;
  readonly gap_nonce: string | null;
  readonly claim: string;
}

interface GapRow {
  readonly submitter: Submitter;
  readonly nonce: string;
}

interface BacklogRow {
  readonly overdue: string;
  readonly quarantined: string;
  readonly stuck: string;
  readonly recyclable: string;
}

type BumpColumns = Unguarded<StatementParameters['recordBumps']>;
type SendColumns = Unguarded<StatementParameters['recordSends']>;
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
      signedColumns(burns),
    );
    return new Set(rows.map((row) => row.id));
  }

  async recordBumps(bumps: readonly BumpRecord[]): Promise<ReadonlySet<string>> {
    if (bumps.length === 0) return new Set();
    const rows = await this.runner.run<{ id: string }, BumpColumns>(
      this.runner.statements.recordBumps,
      signedColumns(bumps),
    );
    return new Set(rows.map((row) => row.id));
  }

  async recordSends(
    sends: readonly SendRecord[],
    bounds: Parameters<TrackingStore['recordSends']>[1],
  ): Promise<ReadonlySet<string>> {
    if (sends.length === 0) return new Set();
    const rows = await this.runner.run<{ id: string }, SendColumns>(
      this.runner.statements.recordSends,
      {
        ids: sends.map((send) => send.id),
        fromStages: sends.map((send) => send.from),
        hashesSeen: sends.map((send) => send.hashesSeen),
        claims: sends.map((send) => send.claim),
        maxPerMinute: bounds.perMinute,
        maxTotal: bounds.total,
        leaseMs: bounds.leaseMs,
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

  async listIdleGaps(
    query: Parameters<TrackingStore['listIdleGaps']>[0],
  ): Promise<readonly IdleGap[]> {
    if (query.chainIds.length === 0) return [];
    const { chainIds, settledMs, limit: rowLimit } = query;
    const rows = await this.runner.run<GapRow, StatementParameters['listIdleGaps']>(
      this.runner.statements.listIdleGaps,
      { chainIds, settledMs, rowLimit },
    );
    return rows.map(({ submitter, nonce }) => ({ submitter, nonce: Number(nonce) as Nonce }));
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

function signedColumns(records: readonly BurnRecord[]): BurnColumns & BumpColumns {
  return {
    ids: records.map((record) => record.id),
    fromStages: records.map((record) => record.from),
    hashesSeen: records.map((record) => record.hashesSeen),
    txHashes: records.map((record) => record.txHash.toLowerCase()),
    rawTxs: records.map((record) => Buffer.from(record.rawTx.slice(2), 'hex')),
    nextLookMs: records.map((record) => Math.round(record.nextLookMs)),
    reasons: records.map((record) => record.reason),
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
    resends: { total: row.resends, inMinute: row.resends_in_minute },
    gapNonce: toNumber(row.gap_nonce),
    claim: row.claim,
  };
}

function toHex(bytes: Buffer | null): Hex | null {
  return bytes === null ? null : `0x${bytes.toString('hex')}`;
}

function toNumber(text: string | null): number | null {
  return text === null ? null : Number(text);
}
