import type { Reconciliation, ReconcileScope } from '../domain/reconciliation';
import type { Submitter } from '../domain/submitter';

export interface ReconcileOrder {
  readonly scope: ReconcileScope;
  readonly dryRun: boolean;
  readonly actor: string;
  readonly reason: string;
}

export interface PagedSubmitter {
  readonly submitter: Submitter;
  /** Issuing floor; null before the first alignment. */
  readonly latest: number | null;
  readonly next: number;
  readonly ceiling: number;
  /** Its own `maxInFlight`; null = that of its chain. */
  readonly window: number | null;
}

/** Reconciliations as rows: they survive whoever carries them out. */
export interface ReconciliationStore {
  /** `begun` is false when one of its kind runs already: then that one is answered. */
  begin(
    order: ReconcileOrder,
    runner: string | null,
  ): Promise<{ readonly begun: boolean; readonly reconciliation: Reconciliation }>;
  /** One's own, or one whose runner was silent for so long. */
  claim(runner: string, silentMs: number): Promise<Reconciliation | null>;
  /** null when somebody else carries it out by now. */
  report(reconciliation: Reconciliation, runner: string): Promise<Reconciliation | null>;
  find(id: string): Promise<Reconciliation | null>;
  page(query: {
    readonly behind: string;
    readonly scope: ReconcileScope;
    readonly limit: number;
  }): Promise<readonly PagedSubmitter[]>;
}
