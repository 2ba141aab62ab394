import type { EngineMode, LastingMode } from '../domain/engine-mode';
import type { Submitter } from '../domain/submitter';
import type {
  DrainWait,
  ModeSnapshot,
  ModeSwitch,
  PhaseReport,
  SwitchState,
} from '../ports/mode-store.port';

export interface SnapshotRow {
  readonly mode: EngineMode;
  readonly epoch: string;
  readonly since_ms: number;
  readonly age_ms: number;
  readonly actor: string;
  readonly reason: string;
  readonly pinned: boolean;
  readonly return_to: LastingMode | null;
  readonly dwell_ms: number;
  readonly prefetch_size: number | null;
  readonly prefetch_low_water: number | null;
  readonly prefetch_max: number | null;
  readonly running_switch: string | null;
  readonly pins_version: string;
  /** null when the asker has those of this version. */
  readonly pins: Readonly<Record<string, LastingMode>> | null;
  readonly fast_epochs: boolean;
}

export interface SwitchRow {
  readonly id: string;
  readonly from_mode: EngineMode;
  readonly to_mode: EngineMode;
  readonly epoch: string;
  readonly actor: string;
  readonly reason: string;
  readonly automatic: boolean;
  readonly state: SwitchState;
  readonly phases: readonly PhaseReport[];
  readonly waits_for: DrainWait | null;
  readonly started_ms: number;
  readonly ended_ms: number | null;
}

/** Pins as they were read last, and their version. */
export interface KnownPins {
  readonly version: string;
  readonly pins: ReadonlyMap<Submitter, LastingMode>;
}

/** The pins that a row tells, or those known before when it says that they are the same. */
export function pinsOf(row: SnapshotRow, known: KnownPins | null): KnownPins {
  if (row.pins === null && known !== null) return known;
  const pins = new Map(Object.entries(row.pins ?? {}) as [Submitter, LastingMode][]);
  return { version: row.pins_version, pins };
}

export function toSnapshot(row: SnapshotRow, { pins }: KnownPins): ModeSnapshot {
  const { prefetch_size: size, prefetch_low_water: lowWater, prefetch_max: max } = row;
  return {
    mode: row.mode,
    epoch: Number(row.epoch),
    sinceMs: row.since_ms,
    ageMs: row.age_ms,
    actor: row.actor,
    reason: row.reason,
    pinned: row.pinned,
    returnTo: row.return_to,
    dwellMs: row.dwell_ms,
    runningSwitch: row.running_switch === null ? null : Number(row.running_switch),
    prefetch: size === null || lowWater === null || max === null ? null : { size, lowWater, max },
    pins,
    fastEpochs: row.fast_epochs,
  };
}

export function toSwitch(row: SwitchRow): ModeSwitch {
  return {
    id: Number(row.id),
    from: row.from_mode,
    to: row.to_mode,
    epoch: Number(row.epoch),
    actor: row.actor,
    reason: row.reason,
    automatic: row.automatic,
    state: row.state,
    startedAtMs: row.started_ms,
    endedAtMs: row.ended_ms,
    phases: row.phases,
    waitsFor: row.waits_for,
  };
}
