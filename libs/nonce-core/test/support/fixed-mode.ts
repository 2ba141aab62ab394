import { engineOf, type LastingMode } from '../../src/domain/engine-mode';
import type { ModeSource } from '../../src/ports/mode-source.port';
import type { ModeSnapshot } from '../../src/ports/mode-store.port';

/** Epoch of the first mode of a database. */
const FIRST_EPOCH = 1;

export function modeSnapshot(overrides: Partial<ModeSnapshot> = {}): ModeSnapshot {
  return {
    mode: 'PERFORMANCE',
    epoch: FIRST_EPOCH,
    sinceMs: 0,
    ageMs: 0,
    actor: 'test',
    reason: 'first start',
    pinned: false,
    returnTo: null,
    dwellMs: 0,
    runningSwitch: null,
    prefetch: null,
    pins: new Map(),
    fastEpochs: true,
    ...overrides,
  };
}

/** A node that believes for ever in the mode of the first start. */
export function fixedMode(mode: LastingMode = 'PERFORMANCE'): ModeSource {
  const snapshot = modeSnapshot({ mode });
  return {
    current: () => snapshot,
    refresh: () => Promise.resolve(snapshot),
    waitForChange: () => Promise.resolve(snapshot),
    engineFor: () => engineOf(mode),
    onChange: (listener) => {
      listener(snapshot);
    },
  };
}
