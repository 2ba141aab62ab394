import type { Allocation, AllocationSource, Exposure, Proof } from '../domain/allocation';
import { STATUS_OF, type AllocationStage } from '../domain/allocation-state';
import type { Hex } from '../domain/brand';
import type { EngineName, Epoch } from '../domain/epoch';
import type { Nonce } from '../domain/nonce';
import type { Submitter } from '../domain/submitter';

/** An allocation as the statements return it: numbers as text or milliseconds, hashes joined. */
export interface AllocationRow {
  readonly id: string;
  readonly submitter: string;
  readonly nonce: string;
  readonly stage: AllocationStage;
  readonly source: AllocationSource;
  readonly exposure: Exposure;
  readonly engine: EngineName;
  readonly epoch: string;
  readonly operation_id: string | null;
  readonly tx_hash: string | null;
  readonly hashes: string | null;
  readonly proof: Proof | null;
  readonly note: string | null;
  readonly deadline_ms: number | null;
  readonly created_ms: number;
  readonly updated_ms: number;
}

export function toAllocation(row: AllocationRow): Allocation {
  return {
    id: row.id,
    submitter: row.submitter as Submitter,
    nonce: Number(row.nonce) as Nonce,
    status: STATUS_OF[row.stage],
    stage: row.stage,
    source: row.source,
    epoch: Number(row.epoch) as Epoch,
    engine: row.engine,
    exposure: row.exposure,
    operationId: row.operation_id,
    txHash: row.tx_hash as Hex | null,
    hashes: row.hashes === null || row.hashes === '' ? [] : (row.hashes.split(',') as Hex[]),
    proof: row.proof,
    note: row.note,
    deadline: row.deadline_ms === null ? null : new Date(row.deadline_ms),
    createdAt: new Date(row.created_ms),
    updatedAt: new Date(row.updated_ms),
    updatedAtUs: Math.round(row.updated_ms * 1_000),
  };
}
