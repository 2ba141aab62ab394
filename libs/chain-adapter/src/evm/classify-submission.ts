import type { SubmissionOutcome } from '@noncekit/nonce-core/domain';
import { SUBMISSION_DIALECTS, type DialectId, type SubmissionDialect } from './submission-dialects';

export interface SubmissionRefusal {
  readonly code: number | null;
  readonly message: string;
}

export interface Classification {
  readonly outcome: SubmissionOutcome;
  /** The row of the table that decided; null when no row knows the text. */
  readonly dialect: DialectId | null;
}

/** Longer texts are quotes of something else; what the node means stands at the beginning. */
const TEXT_MAX_LENGTH = 1_000;
const WRAPPERS_MAX = 5;
/**
 * What gateways put in front of a node's words. Only these are taken off: an unknown beginning means
 * that the words are somebody's quote.
 */
const WRAPPER =
  /^(?:\[request id: [\w-]+\] |(?:INTERNAL_ERROR|ALREADY_EXISTS|err|error|call failed|failed to send transaction|(?:transaction )?rejected|invalid transaction): |rpc error: code = \w+ desc = |failed to forward tx to sequencer, please try again\. error message: ['"]?)/i;

/** What a node's refusal of our bytes proves. A text that no row knows proves nothing. */
export function classifySubmission({ code, message }: SubmissionRefusal): Classification {
  const text = withoutWrappers(message);
  const rows: readonly SubmissionDialect[] = SUBMISSION_DIALECTS;
  const row = rows.find(({ pattern, codes }) => {
    return (code !== null && codes?.includes(code) === true) || pattern.test(text);
  });
  if (row === undefined) return { outcome: 'unknown', dialect: null };
  return { outcome: row.outcome, dialect: row.id as DialectId };
}

function withoutWrappers(message: string): string {
  let text = message.slice(0, TEXT_MAX_LENGTH).replace(/\s+/g, ' ').trim();
  for (let i = 0; i < WRAPPERS_MAX && WRAPPER.test(text); i += 1) text = text.replace(WRAPPER, '');
  return text;
}
