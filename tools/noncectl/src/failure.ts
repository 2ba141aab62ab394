import type { ExitCode } from './exit-codes';
import type { Check } from './http/answers';

export interface FailureFacts {
  /** Of the error catalogue, or `NONCECTL_…` for what never reached a server. */
  readonly code: string;
  readonly detail: string;
  readonly fix: string;
  readonly exitCode: ExitCode;
  /** What the answer said beyond that, shown with `--json`. */
  readonly context?: Readonly<Record<string, unknown>>;
  /** Checks that refused a switch. */
  readonly checks?: readonly Check[];
}

/** Ends a command: every way out that is not success is one of these, and says how to mend it. */
export class Failure extends Error {
  constructor(readonly facts: FailureFacts) {
    super(facts.detail);
    this.name = 'Failure';
  }
}
