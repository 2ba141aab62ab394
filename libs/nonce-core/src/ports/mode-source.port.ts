import type { RoutedEngine } from '../domain/engine-mode';
import type { Submitter } from '../domain/submitter';
import type { ModeSnapshot } from './mode-store.port';

/** What this node believes about the mode; it may be behind for a moment without harm. */
export interface ModeSource {
  current(): ModeSnapshot;
  /** Reads it again; callers that ask at the same time share one statement. */
  refresh(): Promise<ModeSnapshot>;
  /** Resolves as soon as the epoch is above `epoch`, or after `timeoutMs` with what is known then. */
  waitForChange(epoch: number, timeoutMs: number): Promise<ModeSnapshot>;
  /** The engine that is entitled to issue for a submitter, as far as this node knows. */
  engineFor(submitter: Submitter): RoutedEngine;
  /** Called after each change of epoch, pins or prefetch sizes, also for the first reading. */
  onChange(listener: (now: ModeSnapshot) => void): void;
}
