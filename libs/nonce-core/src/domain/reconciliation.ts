import type { Submitter } from './submitter';

/** `hot`: submitters of which the chain has not finally consumed every issued nonce. */
export const RECONCILE_SCOPES = ['all', 'hot'] as const;
export type ReconcileScope = (typeof RECONCILE_SCOPES)[number];

/** What a reconciliation found; with `dryRun` what it would change. */
export interface ReconcileCounts {
  /** Submitters looked at so far. */
  readonly submitters: number;
  /** Witnessed submitters that the database did not know. */
  readonly unknown: number;
  /** Submitters behind their witness, put in recovery. */
  readonly behind: number;
  /** Submitters whose issuing floor was behind the chain. */
  readonly raised: number;
  /** Fresh nonces that others had used. */
  readonly foreignUse: number;
  /** Unexposed holders at consumed nonces. */
  readonly fenced: number;
  /** Rows that became final by count. */
  readonly finalized: number;
  /** Rows that need a decision. */
  readonly stuck: number;
  /** Submitters of chains that are not configured: nothing can be compared. */
  readonly unconfigured: number;
  /** Submitters that could not be reconciled; the first hundred are named in `problems`. */
  readonly failed: number;
}

export const NOTHING_RECONCILED: ReconcileCounts = {
  submitters: 0,
  unknown: 0,
  behind: 0,
  raised: 0,
  foreignUse: 0,
  fenced: 0,
  finalized: 0,
  stuck: 0,
  unconfigured: 0,
  failed: 0,
};

export interface ReconcileProblem {
  readonly submitter: Submitter;
  readonly code: string;
}

export interface Reconciliation {
  readonly id: string;
  readonly scope: ReconcileScope;
  readonly dryRun: boolean;
  readonly actor: string;
  readonly reason: string;
  readonly state: 'running' | 'done' | 'aborted';
  /** Submitters in the scope when it began. */
  readonly total: number;
  /** The last submitter done, in key order; empty at the beginning. */
  readonly cursor: string;
  readonly counts: ReconcileCounts;
  /** At most a hundred. */
  readonly problems: readonly ReconcileProblem[];
  readonly startedAt: Date;
  readonly endedAt: Date | null;
}

const PROBLEMS_MAX = 100;

/** The reconciliation after some more submitters. */
export function addFindings(
  to: Reconciliation,
  found: Partial<ReconcileCounts>,
  problems: readonly ReconcileProblem[] = [],
): Reconciliation {
  const counts = Object.fromEntries(
    Object.entries(to.counts).map(([name, count]: [string, number]) => [
      name,
      count + (found[name as keyof ReconcileCounts] ?? 0),
    ]),
  ) as unknown as ReconcileCounts;
  return { ...to, counts, problems: [...to.problems, ...problems].slice(0, PROBLEMS_MAX) };
}
