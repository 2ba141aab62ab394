import { STATUS_OF } from '../domain/allocation-state';
import type { Allocation } from '../domain/allocation';
import type { Hex } from '../domain/brand';
import type { ErrorCode } from '../domain/errors/catalogue';
import type { FastRecordAnswer, FastRecordRow } from '../ports/fast-epoch-store.port';
import type { FastGrant } from '../ports/fast-store.port';
import { isContiguous } from './allocate-answers';
import { toAllocation, type AllocationRow } from './allocation-row';
import { jsonOf } from './fast-grant-columns';
import type { StatementParameters } from './generated/sql';
import type { Unguarded } from './statement-runner';

/** One reply row of `record_grants` and `find_binding`. */
export interface RecordReply {
  readonly kind:
    'granted' | 'read' | 'replayed' | 'settled' | 'refused' | 'fenced' | 'contended' | 'new';
  readonly detail: string | null;
}

/** An answer, or the owner tokens whose rows must still be read. */
export type DecodedRecord =
  FastRecordAnswer | { readonly kind: 'read'; readonly ids: readonly string[] };

type Columns = Unguarded<StatementParameters['recordGrants']>;

export function recordColumns(rows: readonly FastRecordRow[]): Columns {
  const slots = rows.flatMap((row, i) =>
    row.grants.map((grant) => ({ grant, request: i + 1, hash: row.requestHash })),
  );
  const of = <T>(pick: (grant: FastGrant) => T): T[] => slots.map(({ grant }) => pick(grant));
  const operations = of((grant) => grant.operationId);
  const metadata = of((grant) => jsonOf(grant.metadata));
  return {
    requests: slots.map(({ request }) => request),
    ids: of((grant) => grant.id),
    submitters: of((grant) => grant.submitter),
    nonces: of((grant) => grant.nonce),
    epochs: of((grant) => grant.epoch),
    generations: of((grant) => grant.generation),
    sources: of((grant) => grant.source),
    exposures: of((grant) => grant.exposure),
    operations: operations.every((operation) => operation === null) ? null : operations,
    hashes: slots.map(({ hash }) => hash),
    metadata: metadata.every((each) => each === null) ? null : metadata,
    grantedMs: of((grant) => Math.round(grant.grantedAtMs)),
    deadlinesMs: of((grant) => Math.round(grant.deadlineMs)),
  };
}

/** One answer per row; `new`, which only `find_binding` says, reads as `fenced`: not yet bound. */
export function decodeRecord(
  rows: readonly FastRecordRow[],
  replies: readonly RecordReply[],
): DecodedRecord[] {
  return replies.map((reply, i) => decode(rows[i], reply));
}

function decode(row: FastRecordRow | undefined, reply: RecordReply): DecodedRecord {
  const detail = reply.detail ?? '';
  switch (reply.kind) {
    case 'granted':
      return granted(row, hashesByNonce(detail));
    case 'read':
    case 'replayed':
      return { kind: 'read', ids: detail.split(',') };
    case 'settled':
      return replayOfSettled(JSON.parse(detail) as readonly AllocationRow[]);
    case 'refused':
      return { kind: 'refused', code: detail as ErrorCode, context: {} };
    case 'contended':
      return { kind: 'contended' };
    case 'fenced':
      return { kind: 'fenced', ids: detail.split(',') };
    case 'new':
      return { kind: 'fenced' };
  }
}

function granted(
  row: FastRecordRow | undefined,
  hashes: ReadonlyMap<number, readonly Hex[]>,
): DecodedRecord {
  if (row === undefined) throw new Error('record_grants answered a row nobody asked about');
  const allocations = row.grants
    .map((grant) => toGranted(grant, hashes.get(grant.nonce) ?? []))
    .sort((a, b) => a.nonce - b.nonce);
  return { kind: 'granted', allocations, contiguous: isContiguous(allocations), replayed: false };
}

function replayOfSettled(rows: readonly AllocationRow[]): DecodedRecord {
  const allocations = rows.map(toAllocation);
  return { kind: 'granted', allocations, contiguous: isContiguous(allocations), replayed: true };
}

function hashesByNonce(detail: string): ReadonlyMap<number, readonly Hex[]> {
  const found = new Map<number, Hex[]>();
  for (const pair of detail.split(',').filter((each) => each !== '')) {
    const [nonce, hash] = pair.split(':');
    const hashes = found.get(Number(nonce)) ?? [];
    hashes.push(hash as Hex);
    found.set(Number(nonce), hashes);
  }
  return found;
}

function toGranted(grant: FastGrant, hashes: readonly Hex[]): Allocation {
  return {
    id: grant.id,
    submitter: grant.submitter,
    nonce: grant.nonce,
    status: STATUS_OF.GRANTED,
    stage: 'GRANTED',
    source: grant.source,
    epoch: grant.epoch,
    engine: 'performance',
    exposure: grant.exposure,
    operationId: grant.operationId,
    // Known hashes are of earlier holders; this one has sent nothing yet.
    txHash: null,
    hashes,
    proof: null,
    note: null,
    deadline: new Date(grant.deadlineMs),
    createdAt: new Date(grant.grantedAtMs),
    updatedAt: new Date(grant.grantedAtMs),
  };
}
