import { ALLOCATION_LIMITS } from '../domain/allocation';
import type { Hex } from '../domain/brand';
import { NonceError, type FieldProblem } from '../domain/errors/nonce-error';
import type { HolderCommand } from '../domain/holder-command';
import type { HolderRow } from '../ports/allocation-store.port';
import type { AllocationRef } from '../ports/engine.port';
import { ttlProblem } from './allocation-request';

/** What a holder says beside naming its allocation. */
export interface HolderWords {
  readonly txHash?: Hex;
  readonly rawTx?: Hex;
  readonly note?: string;
  readonly ttlMs?: number;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const TX_HASH = /^0x[0-9a-fA-F]{64}$/;
const BYTES = /^0x(?:[0-9a-fA-F]{2})+$/;

/**
 * The row without the knowledge whether its chain is configured; the caller adds that.
 * @throws NonceError NONCE_VALIDATION; NONCE_ALLOCATION_UNKNOWN for an id no allocation can have.
 */
export function toHolderRow(
  command: HolderCommand,
  ref: AllocationRef,
  words: HolderWords,
): HolderRow {
  const errors = problemsOf(words);
  if (errors.length > 0) throw new NonceError('NONCE_VALIDATION', { errors });
  if (!UUID.test(ref.id))
    throw new NonceError('NONCE_ALLOCATION_UNKNOWN', { context: { id: ref.id } });
  return {
    command,
    id: ref.id.toLowerCase(),
    submitter: ref.submitter ?? null,
    nonce: ref.nonce ?? null,
    txHash: (words.txHash?.toLowerCase() as Hex | undefined) ?? null,
    rawTx: words.rawTx ?? null,
    note: storable(words.note),
    ttlMs: words.ttlMs ?? 0,
    followable: false,
  };
}

function problemsOf(words: HolderWords): FieldProblem[] {
  const errors: FieldProblem[] = [];
  if (words.txHash !== undefined && !TX_HASH.test(words.txHash)) {
    errors.push({ pointer: '/txHash', detail: 'must be 0x and 64 hexadecimal digits' });
  }
  if (words.rawTx !== undefined && !BYTES.test(words.rawTx)) {
    errors.push({ pointer: '/rawTx', detail: 'must be 0x and pairs of hexadecimal digits' });
  }
  const ttl = words.ttlMs === undefined ? undefined : ttlProblem(words.ttlMs);
  if (ttl !== undefined) errors.push(ttl);
  return errors;
}

/** Reasons are often error texts of unknown length and content; their beginning is enough. */
function storable(note: string | undefined): string | null {
  if (note === undefined) return null;
  return note.slice(0, ALLOCATION_LIMITS.maxNoteLength).replace(/[\0\p{Cs}]/gu, '\ufffd');
}
