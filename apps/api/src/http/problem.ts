import {
  ERROR_CATALOGUE,
  type ErrorCode,
  type FieldProblem,
  type NonceError,
} from '@noncekit/nonce-core';

export const PROBLEM_MEDIA_TYPE = 'application/problem+json; charset=utf-8';

/** Body of every error answer: RFC 9457 with the members that make it actionable. */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly fix: string;
  readonly context: Readonly<Record<string, unknown>>;
  readonly requestId: string;
  readonly errors: readonly FieldProblem[];
}

export interface ProblemSource {
  readonly code: ErrorCode;
  readonly detail?: string;
  readonly context?: Readonly<Record<string, unknown>>;
  readonly errors?: readonly FieldProblem[];
  /** Only where HTTP has a more exact status than the catalogue: 405, 413 and 415. */
  readonly status?: number;
}

export interface ProblemPlace {
  /** `http://host` of this server as the caller addressed it; empty makes `type` relative. */
  readonly origin: string;
  readonly requestId: string;
}

export function problemDocument(source: ProblemSource, place: ProblemPlace): ProblemDocument {
  const entry = ERROR_CATALOGUE[source.code];
  return {
    type: `${place.origin}/errors/${source.code}`,
    title: entry.title,
    status: source.status ?? entry.status,
    detail: source.detail ?? entry.title,
    code: source.code,
    retryable: entry.retryable,
    fix: entry.fix,
    context: source.context ?? {},
    requestId: place.requestId,
    errors: source.errors ?? [],
  };
}

/** The message of a NonceError starts with its code, which has its own member in a problem. */
export function sourceOfNonceError(error: NonceError): ProblemSource {
  const head = `${error.code}: `;
  const detail = error.message.startsWith(head) ? error.message.slice(head.length) : error.message;
  return { code: error.code, detail, context: error.context, errors: error.errors };
}

/** Seconds until a repeat makes sense: soon when retryable, later when an operator must act. */
export function retryAfterSeconds(problem: ProblemDocument): number | undefined {
  if (problem.status !== 429 && problem.status !== 503) return undefined;
  return problem.retryable ? 1 : 30;
}
