import type { Allocation, AllocationSource } from '../domain/allocation';
import type { Hex } from '../domain/brand';
import type { Epoch } from '../domain/epoch';
import type { ErrorCode } from '../domain/errors/catalogue';
import { OUTPACED } from '../domain/errors/outpaced';
import type { Nonce } from '../domain/nonce';
import type { AllocateAnswer, AllocateRow } from '../ports/allocation-store.port';
import type { SortedBatch } from './allocate-parameters';
import { toAllocation, type AllocationRow } from './allocation-row';

/** One reply row of `allocate_batch`. */
export interface AllocateReply {
  readonly kind:
    'submitter' | 'reissued' | 'refused' | 'replayed' | 'settled' | 'absent' | 'contended';
  readonly index: number;
  readonly nonce: string | null;
  readonly extra: string | null;
  readonly at_ms: number | null;
  readonly detail: string | null;
}

interface Reissued {
  readonly nonce: number;
  readonly source: AllocationSource;
  readonly hashes: readonly Hex[];
}

interface SubmitterGrant {
  next: number;
  epoch: Epoch;
  at: Date;
  atUs: number;
  rank: number;
  reissued: Reissued[];
}

/** An answer, or the owner tokens whose rows must still be read. */
export type DecodedAnswer =
  AllocateAnswer | { readonly kind: 'read'; readonly ids: readonly string[] };

/**
 * Turns the compact reply into one answer per request, in the order the callers came. The statement
 * grants ranks in request order, so nonces follow from the first fresh one and the reissued list.
 */
export function decodeAnswers(
  batch: SortedBatch,
  replies: readonly AllocateReply[],
): DecodedAnswer[] {
  const grants = new Map<number, SubmitterGrant>();
  const others = new Map<number, DecodedAnswer>();
  for (const reply of replies) {
    if (reply.kind === 'submitter') grants.set(reply.index, newGrant(reply));
    else if (reply.kind !== 'reissued') others.set(reply.index, decodeOther(reply));
  }
  for (const reply of replies) {
    if (reply.kind !== 'reissued') continue;
    grants.get(reply.index)?.reissued.push(reissuedOf(reply));
  }
  const answers: DecodedAnswer[] = [];
  batch.rows.forEach((row, index) => {
    const position = batch.positions[index] ?? index;
    const submitter = batch.requestSubmitter[index] ?? 0;
    answers[position] = others.get(index + 1) ?? granted(row, grants.get(submitter));
  });
  return answers;
}

function newGrant(reply: AllocateReply): SubmitterGrant {
  return {
    next: Number(reply.nonce),
    epoch: Number(reply.extra) as Epoch,
    at: new Date(reply.at_ms ?? 0),
    atUs: Math.round((reply.at_ms ?? 0) * 1_000),
    rank: 0,
    reissued: [],
  };
}

function reissuedOf(reply: AllocateReply): Reissued {
  const [source, ...hashes] = (reply.detail ?? '').split(',');
  return {
    nonce: Number(reply.nonce),
    source: source as AllocationSource,
    hashes: hashes as Hex[],
  };
}

function decodeOther(reply: AllocateReply): DecodedAnswer {
  switch (reply.kind) {
    case 'absent':
    case 'contended':
      return { kind: reply.kind };
    case 'replayed':
      return { kind: 'read', ids: (reply.detail ?? '').split(',') };
    case 'settled':
      return replayed(JSON.parse(reply.detail ?? '[]') as AllocationRow[]);
    default:
      if (reply.detail === OUTPACED.code) return { kind: 'refused', ...OUTPACED };
      return {
        kind: 'refused',
        code: (reply.detail ?? 'NONCE_INTERNAL') as ErrorCode,
        context: { available: Number(reply.extra) },
      };
  }
}

function granted(row: AllocateRow, grant: SubmitterGrant | undefined): DecodedAnswer {
  if (grant === undefined) throw new Error('allocate_batch left a request unanswered');
  const allocations = row.ids.map((id) => nextAllocation(row, grant, id));
  allocations.sort((a, b) => a.nonce - b.nonce);
  return { kind: 'granted', allocations, contiguous: isContiguous(allocations), replayed: false };
}

function nextAllocation(row: AllocateRow, grant: SubmitterGrant, id: string): Allocation {
  const rank = grant.rank;
  grant.rank = rank + 1;
  const reissued = grant.reissued[rank];
  return {
    id,
    submitter: row.submitter,
    nonce: (reissued?.nonce ?? grant.next + rank - grant.reissued.length) as Nonce,
    status: 'RESERVED',
    stage: 'GRANTED',
    source: reissued?.source ?? 'fresh',
    epoch: grant.epoch,
    engine: 'reliable',
    exposure: row.exposure,
    operationId: row.operationId,
    // Known hashes are of earlier holders; this one has sent nothing yet.
    txHash: null,
    hashes: reissued?.hashes ?? [],
    proof: null,
    note: null,
    deadline: new Date(grant.at.getTime() + row.ttlMs),
    createdAt: grant.at,
    updatedAt: grant.at,
    updatedAtUs: grant.atUs,
  };
}

/** The rows of a settled operation are kept with its binding, in nonce order. */
function replayed(rows: readonly AllocationRow[]): DecodedAnswer {
  const allocations = rows.map(toAllocation);
  return { kind: 'granted', allocations, contiguous: isContiguous(allocations), replayed: true };
}

export function isContiguous(allocations: readonly Allocation[]): boolean {
  const first = allocations[0]?.nonce ?? 0;
  return allocations.every((allocation, index) => allocation.nonce === first + index);
}
