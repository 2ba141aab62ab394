/** How flushing goes, over all workers. */
export interface FlushReport {
  readonly lastSuccessAt: Date | null;
  readonly lastFailureAt: Date | null;
  readonly lastFailure: string | null;
  /** Workers that hold claims now. */
  readonly workers: number;
}

/** Where workers note how their flushes end, so that every node can tell. */
export interface FlushReports {
  /** Changes nothing when the worker has no claim. */
  note(worker: string, failure: string | null): Promise<void>;
  read(): Promise<FlushReport>;
}
