import type { SubmissionOutcome } from '@noncekit/nonce-core/domain';

/**
 * Which of several providers' outcomes is reported for the same bytes. Strongest evidence first:
 *
 *   accepted, already-known   one pool has the bytes, whatever others say
 *   nonce-too-low             a fact of the chain as one node sees it; only leads to reading
 *   replacement-underpriced   another transaction holds the nonce in one pool
 *   in-flight-limit           a pool would take the bytes once others are mined
 *   not-accepted-now          the node got as far as money or price, so past the nonce
 *   nonce-too-high            the node lacks a predecessor; says more about the node than the bytes
 *   never-executable          leads to closing the nonce with a no-op: only when no provider that
 *                             understood the bytes says anything milder
 *   unknown                   proves nothing
 */
const STRONGEST_FIRST: readonly SubmissionOutcome[] = [
  'accepted',
  'already-known',
  'nonce-too-low',
  'replacement-underpriced',
  'in-flight-limit',
  'not-accepted-now',
  'nonce-too-high',
  'never-executable',
  'unknown',
];

/** Nothing that another provider may still say would change what happens next. */
export function isDecisive(outcome: SubmissionOutcome): boolean {
  return outcome === 'accepted' || outcome === 'already-known';
}

/** @throws RangeError without any. */
export function strongest<T extends { readonly outcome: SubmissionOutcome }>(
  evidence: readonly T[],
): T {
  const [first] = [...evidence].sort(
    (a, b) => STRONGEST_FIRST.indexOf(a.outcome) - STRONGEST_FIRST.indexOf(b.outcome),
  );
  if (first === undefined) throw new RangeError('no evidence to choose from');
  return first;
}
