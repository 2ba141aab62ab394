import type { EngineMode } from '@noncekit/nonce-core/domain';

/** Answers of `/v1/ops`, as far as this program reads them. Times are RFC 3339. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly fix: string | null;
}

export interface Phase {
  readonly phase: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly durationMs: number | null;
  readonly note: string | null;
}

export interface DrainWait {
  readonly events: number;
  readonly grants: number;
  readonly epochs: number;
  readonly deadlineAt: string;
}

export interface ModeSwitch {
  readonly id: number;
  readonly from: EngineMode;
  readonly to: EngineMode;
  readonly epoch: number;
  readonly by: string;
  readonly reason: string;
  readonly automatic: boolean;
  readonly state: 'running' | 'done' | 'aborted';
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly phases: readonly Phase[];
  readonly waitsFor: DrainWait | null;
}

export interface Mode {
  readonly mode: EngineMode;
  readonly epoch: number;
  readonly since: string;
  readonly ageMs: number;
  readonly by: string;
  readonly reason: string;
  readonly pinned: boolean;
  readonly returnTo: EngineMode | null;
  readonly mayFollow: readonly EngineMode[];
  readonly runningSwitch: number | null;
}

export interface DryRun {
  readonly mode: EngineMode;
  readonly epoch: number;
  readonly possible: boolean;
  readonly checks: readonly Check[];
}

export interface Switches {
  readonly items: readonly ModeSwitch[];
  readonly nextBefore: number | null;
}

export interface Prefetch {
  readonly size: number;
  readonly lowWater: number;
  readonly max: number;
  readonly tuned: boolean;
}

export interface Overview {
  readonly mode: Mode;
  readonly healthy: boolean;
  readonly health: Readonly<Record<string, unknown>>;
}

/** What a reset of a submitter did, or would do. */
export interface Rebaseline {
  readonly submitter: string;
  readonly done: boolean;
  readonly knownGenesis: string | null;
  readonly genesis: string | null;
  readonly generation: number;
  readonly nextNonce: number;
  readonly kept: number;
  readonly ended: number;
}

/** What the reconciliation of one submitter found. */
export interface SubmitterReconciliation {
  readonly submitter: string;
  readonly dryRun: boolean;
  readonly behindWitness: boolean;
  readonly chainLatest: number;
  readonly foreignUse: number;
  readonly fenced: number;
  readonly finalized: number;
  readonly stuck: number;
}

/** How far a full reconciliation is, or how it ended. */
export interface Reconciliation {
  readonly id: string;
  readonly state: 'running' | 'done' | 'aborted';
  readonly scope: string;
  readonly dryRun: boolean;
  readonly total: number;
  readonly counts: Readonly<
    Record<
      | 'submitters'
      | 'unknown'
      | 'behind'
      | 'raised'
      | 'foreignUse'
      | 'fenced'
      | 'finalized'
      | 'stuck'
      | 'unconfigured'
      | 'failed',
      number
    >
  >;
  readonly problems: readonly { readonly submitter: string; readonly code: string }[];
}
