/**
 * What one answer to `eth_sendRawTransaction` proves. An answer is evidence about one node at one
 * moment, never about the chain: only `accepted` and `already-known` prove that bytes are in a pool.
 */
export const SUBMISSION_OUTCOMES = [
  'accepted',
  'already-known',
  'nonce-too-low',
  'replacement-underpriced',
  'nonce-too-high',
  'not-accepted-now',
  'in-flight-limit',
  'never-executable',
  'unknown',
] as const;
export type SubmissionOutcome = (typeof SUBMISSION_OUTCOMES)[number];
