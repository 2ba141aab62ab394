import { NonceError, type FieldProblem } from '@noncekit/nonce-core';
import { numberSpellingProblems } from './number-spelling';

/** No documented body is nested deeper than `metadata` may be. */
const MAX_DEPTH = 16;
/** A NUL or half of a surrogate pair cannot be stored as text by Postgres. */
const UNSTORABLE = /\u0000|\p{Surrogate}/u;

/**
 * Reads a request body: one JSON object, numbers spelled as plain integers where the API has
 * numbers, nothing that a store could not keep.
 * @throws NonceError NONCE_VALIDATION
 */
export function parseJsonBody(text: string): Record<string, unknown> {
  if (text.trim() === '') return {};
  const value = parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid([{ pointer: '', detail: 'must be a JSON object' }]);
  }
  const problems = [...numberSpellingProblems(text), ...storabilityProblems(value)];
  if (problems.length > 0) throw invalid(problems);
  return value as Record<string, unknown>;
}

/** True when Postgres can keep this text as it is. */
export function isStorable(text: string): boolean {
  return !UNSTORABLE.test(text);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new NonceError('NONCE_VALIDATION', {
      cause,
      errors: [{ pointer: '', detail: 'is not valid JSON' }],
    });
  }
}

interface Visit {
  readonly pointer: string;
  readonly value: unknown;
  readonly depth: number;
}

/** Walks without recursion, so that deep nesting cannot exhaust the stack. */
function storabilityProblems(root: object): FieldProblem[] {
  const visits: Visit[] = [{ pointer: '', value: root, depth: 0 }];
  for (let visit = visits.pop(); visit !== undefined; visit = visits.pop()) {
    const { pointer, value, depth } = visit;
    if (typeof value === 'string' && !isStorable(value)) {
      return [{ pointer, detail: 'contains a NUL or an unpaired surrogate' }];
    }
    if (typeof value !== 'object' || value === null) continue;
    if (depth >= MAX_DEPTH) return [{ pointer, detail: `is nested deeper than ${MAX_DEPTH}` }];
    for (const [key, child] of Object.entries(value)) {
      if (!isStorable(key) || key === '__proto__') {
        return [{ pointer, detail: 'has a field name that is not allowed' }];
      }
      visits.push({ pointer: `${pointer}/${escapeKey(key)}`, value: child, depth: depth + 1 });
    }
  }
  return [];
}

function escapeKey(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

function invalid(errors: readonly FieldProblem[]): NonceError {
  return new NonceError('NONCE_VALIDATION', { errors });
}
