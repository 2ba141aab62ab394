/** One broken rule at one place. */
export interface Violation {
  readonly rule: string;
  /** Relative to the repository. */
  readonly file: string;
  readonly message: string;
}
