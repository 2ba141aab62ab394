import type { EngineMode } from '../../src/domain/engine-mode';
import type {
  ModeStore,
  ModeSwitch,
  PhaseReport,
  SwitchRequest,
} from '../../src/ports/mode-store.port';

export const PREFLIGHT: PhaseReport = {
  phase: 'preflight',
  startedAtMs: 1_000,
  endedAtMs: 2_000,
  note: null,
};

export function switchRequest(
  seenEpoch: number,
  to: EngineMode,
  overrides: Partial<SwitchRequest> = {},
): SwitchRequest {
  return {
    seenEpoch,
    to,
    actor: 'operator',
    reason: 'test',
    automatic: false,
    pinned: false,
    returnTo: null,
    dwellMs: 0,
    runner: 'node-1',
    preflight: PREFLIGHT,
    ...overrides,
  };
}

/** Switches from whatever is in force, and ends the switch as its runner does. */
export async function switchTo(store: ModeStore, to: EngineMode): Promise<ModeSwitch> {
  const { epoch } = await store.read();
  const made = await store.switchTo(switchRequest(epoch, to));
  if (made === null) throw new Error(`somebody else switched before ${to}`);
  await store.finish(made.id, 'node-1', made.phases);
  return made;
}
