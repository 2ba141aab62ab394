import type { Allocation, AllocationSource, Exposure, Proof } from '../domain/allocation';
import { STATUS_OF, canMove, type AllocationStage } from '../domain/allocation-state';
import type { Hex } from '../domain/brand';
import type { Epoch } from '../domain/epoch';
import type { Nonce } from '../domain/nonce';
import type { Submitter } from '../domain/submitter';

/** One nonce as the in-memory engine keeps it; callers see snapshots of it. */
export interface InMemoryRow {
  readonly submitter: Submitter;
  readonly nonce: number;
  id: string;
  stage: AllocationStage;
  source: AllocationSource;
  exposure: Exposure;
  operationId: string | null;
  hashes: readonly Hex[];
  /** How many of the first hashes are of earlier holders. */
  inheritedHashes: number;
  /** Answered to several calls of its operation, one of which may send without an intent. */
  shared: boolean;
  txHash: Hex | null;
  proof: Proof | null;
  note: string | null;
  deadlineMs: number | null;
  /** When a quarantined nonce may be issued as a replacement; null while it may not. */
  releaseAtMs: number | null;
  createdAtMs: number;
  updatedAtMs: number;
}

type Identity = Pick<InMemoryRow, 'submitter' | 'nonce' | 'id' | 'stage' | 'exposure'>;

export function newRow(identity: Identity, nowMs: number): InMemoryRow {
  return {
    ...identity,
    source: 'fresh',
    operationId: null,
    hashes: [],
    inheritedHashes: 0,
    shared: false,
    txHash: null,
    proof: null,
    note: null,
    deadlineMs: null,
    releaseAtMs: null,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
}

export function snapshot(row: InMemoryRow): Allocation {
  return {
    id: row.id,
    submitter: row.submitter,
    nonce: row.nonce as Nonce,
    status: STATUS_OF[row.stage],
    stage: row.stage,
    source: row.source,
    epoch: 1 as Epoch,
    engine: 'reliable',
    exposure: row.exposure,
    operationId: row.operationId,
    txHash: row.txHash,
    hashes: row.hashes,
    proof: row.proof,
    note: row.note,
    deadline: row.deadlineMs === null ? null : new Date(row.deadlineMs),
    createdAt: new Date(row.createdAtMs),
    updatedAt: new Date(row.updatedAtMs),
  };
}

/** The one mover: everything that changes a stage goes through the table. */
export function moveRow(row: InMemoryRow, to: AllocationStage, nowMs: number): void {
  if (!canMove(row.stage, to)) throw new Error(`${row.stage} may not become ${to}`);
  row.stage = to;
  row.updatedAtMs = nowMs;
  if (to !== 'GRANTED') row.deadlineMs = null;
  if (to !== 'QUARANTINED') row.releaseAtMs = null;
}
