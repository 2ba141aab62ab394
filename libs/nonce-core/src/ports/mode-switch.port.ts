import type { EngineMode } from '../domain/engine-mode';
import type { ModeSnapshot, ModeSwitch } from './mode-store.port';

/** One thing that was looked at before a switch. */
export interface PreflightCheck {
  /** Stable, for people and machines: `edge`, `redis-healthy`, `queue-empty`, … */
  readonly name: string;
  readonly ok: boolean;
  /** What was found. */
  readonly detail: string;
  /** What to do about it; null when nothing is to be done. */
  readonly fix: string | null;
}

/** A switch as somebody wants it. */
export interface SwitchOrder {
  readonly to: EngineMode;
  /** 1…500 characters. */
  readonly reason: string;
  /** Name of who wants it, for the audit. */
  readonly actor: string;
  /** The epoch that was decided upon; absent = whatever is in force when the order arrives. */
  readonly seenEpoch?: number;
  /** True: checks only, nothing is switched. */
  readonly dryRun?: boolean;
}

export interface SwitchAnswer {
  readonly checks: readonly PreflightCheck[];
  /** null after a dry run. */
  readonly switch: ModeSwitch | null;
}

export interface AbortOrder {
  /** 1…500 characters. */
  readonly reason: string;
  readonly actor: string;
}

/** How people and programs change the mode, and see what it is and was. */
export interface ModeSwitching {
  /**
   * Returns once the new mode is recorded: it counts from then on. What follows (mirror, drain) goes
   * on behind, and is told by `history`.
   * @throws NonceError NONCE_MODE_PREFLIGHT_FAILED with `context.checks`; NONCE_PRECONDITION when
   *   another switch came first; NONCE_STORE_UNAVAILABLE.
   */
  switchTo(order: SwitchOrder): Promise<SwitchAnswer>;
  /** Ends what a running switch still does; the mode stays as it is. null when none is running. */
  abort(order: AbortOrder): Promise<ModeSwitch | null>;
  /** As Postgres has it now. @throws NonceError NONCE_STORE_UNAVAILABLE. */
  current(): Promise<ModeSnapshot>;
  /** Newest first, those with an id below `before`. @throws NonceError NONCE_STORE_UNAVAILABLE. */
  history(limit: number, before?: number): Promise<readonly ModeSwitch[]>;
}
