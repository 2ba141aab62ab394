import type { Allocation } from '../../domain/allocation';
import { STATUS_OF } from '../../domain/allocation-state';
import type { FastGrant, FastSettleAnswer } from '../../ports/fast-store.port';

type Standing = Omit<Extract<FastSettleAnswer, { kind: 'done' | 'same' }>, 'kind'>;

/** A grant as its caller is told of it; the row in Postgres will say the same. */
export function toAllocation({ grant, stage, hashes, note, atMs }: Standing): Allocation {
  return {
    id: grant.id,
    submitter: grant.submitter,
    nonce: grant.nonce,
    status: STATUS_OF[stage],
    stage,
    source: grant.source,
    epoch: grant.epoch,
    engine: 'performance',
    exposure: grant.exposure,
    operationId: grant.operationId,
    txHash: hashes.at(-1) ?? null,
    hashes,
    proof: null,
    note,
    deadline: stage === 'GRANTED' ? new Date(grant.deadlineMs) : null,
    createdAt: new Date(grant.grantedAtMs),
    updatedAt: new Date(atMs),
  };
}

export function newlyGranted(grant: FastGrant): Allocation {
  const atMs = grant.grantedAtMs;
  return toAllocation({ grant, stage: 'GRANTED', hashes: [], note: null, atMs });
}
