/** A server that cannot be had; `fix` is the sentence that tells the reader what to do about it. */
export class StackError extends Error {
  override readonly name = 'StackError';
  readonly fix: string;

  constructor(problem: string, details: { readonly fix: string; readonly cause?: unknown }) {
    super(
      `${problem}\n  fix: ${details.fix}`,
      details.cause === undefined ? {} : { cause: details.cause },
    );
    this.fix = details.fix;
  }
}
