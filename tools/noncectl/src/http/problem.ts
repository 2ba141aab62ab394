import { EXIT, type ExitCode } from '../exit-codes';
import { Failure } from '../failure';
import type { Check } from './answers';

interface ProblemDocument {
  readonly code: string;
  readonly detail: string;
  readonly fix: string;
  readonly context?: Readonly<Record<string, unknown>>;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}

/** Codes whose exit code the status does not tell. */
const BY_CODE: Readonly<Record<string, ExitCode>> = {
  NONCE_MODE_PREFLIGHT_FAILED: EXIT.problemsFound,
};
const BY_STATUS: Readonly<Record<number, ExitCode>> = {
  400: EXIT.usage,
  404: EXIT.notFound,
  409: EXIT.conflict,
  412: EXIT.conflict,
  422: EXIT.usage,
};

/** An answer that is no success, as what this program ends with. */
export function failureOf(status: number, body: unknown, url: string): Failure {
  if (!isProblem(body)) {
    return new Failure({
      code: 'NONCECTL_NO_API',
      detail: `${url} answered ${status} without a problem document`,
      fix: 'Point --url or NONCE_API_URL at the public port of a Noncekit API.',
      exitCode: EXIT.failed,
    });
  }
  const fields = (body.errors ?? []).map(({ pointer, detail }) => `${pointer.slice(1)} ${detail}`);
  const checks = checksOf(body.context?.['checks']);
  return new Failure({
    code: body.code,
    detail: [body.detail, ...fields].join('; '),
    fix: body.fix,
    exitCode: BY_CODE[body.code] ?? BY_STATUS[status] ?? EXIT.failed,
    ...(body.context === undefined ? {} : { context: body.context }),
    ...(checks === null ? {} : { checks }),
  });
}

function isProblem(body: unknown): body is ProblemDocument {
  return (
    typeof body === 'object' &&
    body !== null &&
    'code' in body &&
    'detail' in body &&
    'fix' in body &&
    [body.code, body.detail, body.fix].every((member) => typeof member === 'string')
  );
}

function checksOf(value: unknown): readonly Check[] | null {
  return Array.isArray(value) ? (value as readonly Check[]) : null;
}
