import { createHash } from 'node:crypto';
import { ALLOCATION_LIMITS, NonceError } from '@noncekit/nonce-core';

export const IDEMPOTENCY_KEY_HEADER = 'idempotency-key';
export const IDEMPOTENCY_REPLAYED_HEADER = 'Idempotency-Replayed';

/** Printable ASCII: HTTP headers carry nothing else unchanged. */
const KEY = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/**
 * One name for one piece of work: the header and the field mean the same and may not disagree.
 * @throws NonceError NONCE_VALIDATION
 */
export function operationIdOf(
  header: string | readonly string[] | undefined,
  field: string | undefined,
): string | undefined {
  if (header === undefined) return field;
  if (typeof header !== 'string') throw invalid('must be sent once');
  if (header.length > ALLOCATION_LIMITS.maxOperationIdLength || !KEY.test(header)) {
    const limit = ALLOCATION_LIMITS.maxOperationIdLength;
    throw invalid(`must be 1 to ${limit} printable ASCII characters`);
  }
  if (field !== undefined && field !== header) throw invalid('differs from operationId');
  return header;
}

/** Digest of what was asked, independent of the order and spelling of fields. */
export function requestHashOf(request: Readonly<Record<string, unknown>>): string {
  return createHash('sha256').update(canonicalJson(request), 'utf8').digest('hex');
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    const entries = Object.entries(member);
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function invalid(detail: string): NonceError {
  return new NonceError('NONCE_VALIDATION', {
    errors: [{ pointer: '/headers/idempotency-key', detail }],
  });
}
