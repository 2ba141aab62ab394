/** One mistake in a Dockerfile or compose file. */
export interface Finding {
  /** Relative to the repository. */
  readonly file: string;
  readonly message: string;
}
