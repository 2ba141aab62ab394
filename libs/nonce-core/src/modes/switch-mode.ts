import { type EngineMode, type LastingMode, LASTING_MODES } from '../domain/engine-mode';
import { NonceError } from '../domain/errors/nonce-error';
import type { Clock } from '../ports/clock.port';
import type { EventSink } from '../ports/events.port';
import type { ModeRow, ModeSnapshot, ModeStore, ModeSwitch } from '../ports/mode-store.port';
import type {
  AbortOrder,
  ModeSwitching,
  PreflightCheck,
  SwitchAnswer,
  SwitchOrder,
} from '../ports/mode-switch.port';
import type { Preflight } from './preflight';
import type { RecordSwitch } from './record-switch';

export interface SwitchModeDeps {
  readonly store: Pick<ModeStore, 'read' | 'history' | 'abort'>;
  readonly preflight: Preflight;
  readonly recording: RecordSwitch;
  readonly events: EventSink;
  readonly clock: Clock;
}

/** Modes that stay until somebody says otherwise: nothing returns or promotes out of them by itself. */
const KEPT: readonly EngineMode[] = ['RELIABLE', 'DRAIN', 'DEGRADED'];

/** Switches the mode on order: checks, then one compare-and-set. Any number of nodes may be asked. */
export class SwitchMode implements ModeSwitching {
  constructor(private readonly deps: SwitchModeDeps) {}

  async switchTo(order: SwitchOrder): Promise<SwitchAnswer> {
    const { store, preflight, recording, clock } = this.deps;
    const { to, actor, reason } = order;
    const row = await store.read();
    if (order.seenEpoch !== undefined && order.seenEpoch !== row.epoch) throw lostTo(row);
    const startedAtMs = clock.nowMs();
    const checks = await preflight.run({ from: row.mode, to });
    if (order.dryRun === true) return { checks, switch: null };
    refuseFailed(row, to, checks);
    const recorded = await recording.record(row, {
      ...{ to, actor, reason, automatic: false },
      pinned: KEPT.includes(to),
      returnTo: to === 'DEGRADED' ? lasting(row.mode) : null,
      dwellMs: 0,
      preflight: {
        phase: 'preflight',
        startedAtMs,
        endedAtMs: clock.nowMs(),
        note: noteOf(checks),
      },
    });
    if (recorded === null) throw lostTo(await store.read());
    return { checks, switch: recorded };
  }

  async abort({ actor, reason }: AbortOrder): Promise<ModeSwitch | null> {
    const aborted = await this.deps.store.abort(actor, reason);
    if (aborted !== null) {
      this.deps.events.publish('mode.phase', { phase: 'aborted', mode: aborted.to });
    }
    return aborted;
  }

  current(): Promise<ModeSnapshot> {
    return this.deps.store.read();
  }

  history(limit: number, before?: number): Promise<readonly ModeSwitch[]> {
    return this.deps.store.history(limit, before);
  }
}

function refuseFailed(row: ModeRow, to: EngineMode, checks: readonly PreflightCheck[]): void {
  const failed = checks.filter(({ ok }) => !ok);
  if (failed.length === 0) return;
  const names = failed.map(({ name, detail }) => `${name} (${detail})`).join(', ');
  throw new NonceError('NONCE_MODE_PREFLIGHT_FAILED', {
    message: `${row.mode} was not left for ${to}: ${names}.`,
    context: { from: row.mode, to, checks },
  });
}

function lostTo({ mode, epoch, actor }: ModeRow): NonceError {
  return new NonceError('NONCE_PRECONDITION', {
    message: `Another switch came first: ${mode} is in force, epoch ${String(epoch)}, by ${actor}.`,
    context: { mode, epoch, by: actor },
  });
}

function lasting(mode: EngineMode): LastingMode | null {
  return LASTING_MODES.find((known) => known === mode) ?? null;
}

/** What was found and stood in nobody's way. */
function noteOf(checks: readonly PreflightCheck[]): string | null {
  const warnings = checks.flatMap(({ name, detail, fix }) =>
    fix === null ? [] : `${name}: ${detail}`,
  );
  return warnings.length === 0 ? null : warnings.join('; ');
}
