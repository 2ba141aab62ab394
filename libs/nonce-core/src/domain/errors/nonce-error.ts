import { ERROR_CATALOGUE, type ErrorCode, type ErrorEntry } from './catalogue';

export interface FieldProblem {
  /** JSON pointer to the offending field. */
  readonly pointer: string;
  readonly detail: string;
}

export interface NonceErrorDetails {
  /** Replaces the catalogue's title in the message. */
  readonly message?: string;
  readonly cause?: unknown;
  /** Facts that help to mend it: ids, hashes, limits. Never secrets. */
  readonly context?: Readonly<Record<string, unknown>>;
  readonly errors?: readonly FieldProblem[];
}

/** The one error class of the public face; callers branch on `code`. */
export class NonceError extends Error {
  override readonly name: string = 'NonceError';
  readonly code: ErrorCode;
  readonly context: Readonly<Record<string, unknown>>;
  readonly errors: readonly FieldProblem[];

  constructor(code: ErrorCode, details: NonceErrorDetails = {}) {
    super(messageOf(code, details), details.cause === undefined ? {} : { cause: details.cause });
    this.code = code;
    this.context = details.context ?? {};
    this.errors = details.errors ?? [];
  }

  get status(): number {
    return this.entry.status;
  }

  get retryable(): boolean {
    return this.entry.retryable;
  }

  get fix(): string {
    return this.entry.fix;
  }

  private get entry(): ErrorEntry {
    return ERROR_CATALOGUE[this.code];
  }
}

export function isNonceError(error: unknown, code?: ErrorCode): error is NonceError {
  return error instanceof NonceError && (code === undefined || error.code === code);
}

function messageOf(code: ErrorCode, details: NonceErrorDetails): string {
  const head = details.message ?? ERROR_CATALOGUE[code].title;
  const fields = details.errors?.map((p) => `${p.pointer} ${p.detail}`).join('; ') ?? '';
  return fields === '' ? `${code}: ${head}` : `${code}: ${head} ${fields}`;
}
