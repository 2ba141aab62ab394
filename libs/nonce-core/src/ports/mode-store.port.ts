import type { EngineMode, LastingMode } from '../domain/engine-mode';
import type { Submitter } from '../domain/submitter';

/** Sizes of prefetched ranges that operators changed at run time. Counted in nonces. */
export interface PrefetchTuning {
  readonly size: number;
  readonly lowWater: number;
  readonly max: number;
}

/** What rules now. `epoch` rises with every switch: it is the version that switches compare. */
export interface ModeRow {
  readonly mode: EngineMode;
  readonly epoch: number;
  readonly sinceMs: number;
  /** Time in this mode when it was read, in milliseconds: the database's clock alone counts it. */
  readonly ageMs: number;
  readonly actor: string;
  readonly reason: string;
  /** An operator's word: nothing returns or promotes by itself. */
  readonly pinned: boolean;
  /** Where DEGRADED goes back to by itself; null = nowhere. */
  readonly returnTo: LastingMode | null;
  /** How long DEGRADED lasts at least, in milliseconds. */
  readonly dwellMs: number;
  /** Switch whose phases are not over yet. */
  readonly runningSwitch: number | null;
}

/** All that a node has to know again and again, by one statement. */
export interface ModeSnapshot extends ModeRow {
  /** null = as each process is configured. */
  readonly prefetch: PrefetchTuning | null;
  readonly pins: ReadonlyMap<Submitter, LastingMode>;
  /** A fast epoch rules for some submitter, whatever the mode is. */
  readonly fastEpochs: boolean;
}

export const SWITCH_PHASES = ['preflight', 'record', 'mirror', 'drain'] as const;
export type SwitchPhase = (typeof SWITCH_PHASES)[number];

export interface PhaseReport {
  readonly phase: SwitchPhase;
  readonly startedAtMs: number;
  /** null while it goes on. */
  readonly endedAtMs: number | null;
  readonly note: string | null;
}

/** What a drain still waits for. */
export interface DrainWait {
  readonly events: number;
  readonly grants: number;
  readonly epochs: number;
  readonly deadlineMs: number;
}

export type SwitchState = 'running' | 'done' | 'aborted';

export interface ModeSwitch {
  readonly id: number;
  readonly from: EngineMode;
  readonly to: EngineMode;
  /** Epoch that it made. */
  readonly epoch: number;
  readonly actor: string;
  readonly reason: string;
  readonly automatic: boolean;
  readonly state: SwitchState;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  readonly phases: readonly PhaseReport[];
  readonly waitsFor: DrainWait | null;
}

export interface SwitchRequest {
  /** Compare and set: the switch is lost where another came first. */
  readonly seenEpoch: number;
  readonly to: EngineMode;
  readonly actor: string;
  /** At most 500 characters. */
  readonly reason: string;
  readonly automatic: boolean;
  readonly pinned: boolean;
  readonly returnTo: LastingMode | null;
  readonly dwellMs: number;
  /** Node that runs the phases first. */
  readonly runner: string;
  readonly preflight: PhaseReport;
}

/** Postgres's side of modes: the only place where one is decided. */
export interface ModeStore {
  /** Makes the row where there is none; what was there before stays. */
  initialise(mode: LastingMode, actor: string): Promise<void>;
  /** @throws NonceError NONCE_STORE_UNAVAILABLE; NONCE_INTERNAL before initialise. */
  read(): Promise<ModeSnapshot>;
  /** null = another switch was faster. Audited in the same transaction. A running one ends as aborted. */
  switchTo(request: SwitchRequest): Promise<ModeSwitch | null>;
  /** Newest first, those with an id below `before`. */
  history(limit: number, before?: number): Promise<readonly ModeSwitch[]>;
  /** The switch, when `runner` may go on with it: it is its own, or its runner is silent for `silentMs`. */
  claimRunning(runner: string, silentMs: number): Promise<ModeSwitch | null>;
  /** Sign of life and progress of a running switch. False when it is not this runner's any more. */
  report(
    id: number,
    runner: string,
    progress: { readonly phases: readonly PhaseReport[]; readonly waitsFor: DrainWait | null },
  ): Promise<boolean>;
  finish(id: number, runner: string, phases: readonly PhaseReport[]): Promise<boolean>;
  /** Ends the running switch as aborted, whoever runs it; null when none runs. Audited. The mode stays. */
  abort(actor: string, reason: string): Promise<ModeSwitch | null>;
  /** Audited; live on every node within a second. */
  tunePrefetch(prefetch: PrefetchTuning, actor: string, reason: string): Promise<void>;
  /**
   * null = follows the mode. Audited. False when the submitter is unknown.
   * @throws NonceError NONCE_VALIDATION when 10,000 are pinned already.
   */
  pin(submitter: Submitter, mode: LastingMode | null, actor: string): Promise<boolean>;
  /** Grants of fast epochs that nobody settled yet, as far as events were applied; counted up to `most`. */
  countFastGrants(most: number): Promise<number>;
  /** How many fast epochs rule, counted up to `most`. */
  countFastEpochs(most: number): Promise<number>;
}
