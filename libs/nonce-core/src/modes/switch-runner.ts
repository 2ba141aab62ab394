import { drains, type EngineMode } from '../domain/engine-mode';
import type { Clock } from '../ports/clock.port';
import type { EventSink } from '../ports/events.port';
import type { FastStore } from '../ports/fast-store.port';
import type { Logger } from '../ports/logger.port';
import type {
  DrainWait,
  ModeStore,
  ModeSwitch,
  PhaseReport,
  SwitchPhase,
} from '../ports/mode-store.port';
import type { DrainFast } from './drain-fast';

export interface SwitchRunnerDeps {
  readonly store: Pick<ModeStore, 'claimRunning' | 'report' | 'finish'>;
  /** null where this process has no Redis: then there is nothing that it could do. */
  readonly redis: {
    readonly fast: Pick<FastStore, 'raiseMode'>;
    readonly drain: Pick<DrainFast, 'run'>;
    readonly shards: readonly number[];
  } | null;
  readonly events: EventSink;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface SwitchRunnerSettings {
  /** This process among all. */
  readonly name: string;
  readonly drainDeadlineMs: number;
}

/** What is done after a switch was recorded, in this order. */
const FOLLOWING = ['mirror', 'drain'] as const satisfies readonly SwitchPhase[];
type FollowingPhase = (typeof FOLLOWING)[number];

/** How long it took to record a switch of this process. */
export interface RecordedSwitch {
  readonly id: number;
  readonly phase: PhaseReport;
}

interface Running {
  readonly of: ModeSwitch;
  readonly phases: PhaseReport[];
  readonly lost: AbortController;
}

/** A runner tells of itself every half second; whoever is silent for ten times that is dead. */
const SILENT_MS = 5_000;
/** Switches in a row that one start may go on with; each newer one ends the one before. */
const MAX_IN_A_ROW = 10;

/**
 * Does what follows from a recorded switch: mirror, then drain. A switch whose runner is silent is
 * taken over by any other; every phase may be done again. Nothing here decides who may issue.
 */
export class SwitchRunner {
  private readonly ending = new AbortController();
  private running: Promise<void> | null = null;
  private next: Promise<void> | null = null;
  private recorded: RecordedSwitch | null = null;

  constructor(
    private readonly deps: SwitchRunnerDeps,
    private readonly settings: SwitchRunnerSettings,
  ) {}

  get name(): string {
    return this.settings.name;
  }

  /** For a switch that was just recorded: goes on in the background, after what is on its way. */
  start(recorded: RecordedSwitch | null = null): void {
    this.recorded = recorded ?? this.recorded;
    this.next ??= (this.running ?? Promise.resolve()).then(() => {
      this.next = null;
      return this.begin();
    });
  }

  /** Looks for a switch that may be gone on with, unless one is on its way. Does not wait for it. */
  tick(): void {
    if (this.running === null) this.start();
  }

  /** Another process goes on, at the latest after `SILENT_MS`. */
  async stop(): Promise<void> {
    this.ending.abort();
    await this.next;
    await this.running;
  }

  private begin(): Promise<void> {
    const { logger, redis } = this.deps;
    if (redis === null) return Promise.resolve();
    this.running = this.work()
      .catch((error: unknown) => {
        // The next tick repeats it, here or elsewhere.
        const reason = String(error);
        logger.warn('a switch of the mode does not get on for now', { reason });
      })
      .finally(() => {
        this.running = null;
      });
    return this.running;
  }

  private async work(): Promise<void> {
    const { store } = this.deps;
    for (let count = 0; count < MAX_IN_A_ROW && !this.ending.signal.aborted; count += 1) {
      const claimed = await store.claimRunning(this.name, SILENT_MS);
      if (claimed === null) return;
      await this.runPhases(claimed);
    }
  }

  private async runPhases(claimed: ModeSwitch): Promise<void> {
    const { store, events, logger } = this.deps;
    const { id, to, from } = claimed;
    // Phases that another runner left half done are done again from their start.
    const phases = claimed.phases.filter(({ endedAtMs }) => endedAtMs !== null);
    // Known here alone, and only now: the statement that records cannot record its own end.
    if (this.recorded?.id === id && phases.length === 1) phases.push(this.recorded.phase);
    const running: Running = { of: claimed, phases, lost: new AbortController() };
    const open = (needsDrain(to) ? FOLLOWING : FOLLOWING.slice(0, 1)).filter(
      (phase) => !phases.some((over) => over.phase === phase),
    );
    for (const phase of open) if (!(await this.phase(running, phase))) return;
    if (!(await store.finish(id, this.name, running.phases))) return;
    events.publish('mode.phase', { phase: 'done', mode: to });
    logger.info('a switch of the mode is complete', { from, to, epoch: claimed.epoch });
  }

  /** @returns false when the switch is not this runner's any more, or this process ends. */
  private async phase(running: Running, phase: FollowingPhase): Promise<boolean> {
    const { clock, events } = this.deps;
    const begun = { phase, startedAtMs: clock.nowMs(), endedAtMs: null, note: null };
    running.phases.push(begun);
    events.publish('mode.phase', { phase, mode: running.of.to });
    if (!(await this.report(running, null))) return false;
    const note = await (phase === 'mirror' ? this.mirror(running.of) : this.drain(running));
    if (running.lost.signal.aborted || this.ending.signal.aborted) return false;
    running.phases[running.phases.length - 1] = { ...begun, endedAtMs: clock.nowMs(), note };
    return this.report(running, null);
  }

  private async report(running: Running, waitsFor: DrainWait | null): Promise<boolean> {
    const { of, phases, lost } = running;
    if (await this.deps.store.report(of.id, this.name, { phases, waitsFor })) return true;
    lost.abort();
    return false;
  }

  /** Shards that do not answer learn of the mode by the first opening under it. */
  private async mirror({ epoch, to }: ModeSwitch): Promise<string> {
    const { redis } = this.deps;
    if (redis === null) return 'no Redis here';
    const mark = { epoch, drain: drains(to) };
    const took = await redis.fast.raiseMode(mark, redis.shards).catch(() => []);
    return `${String(took.length)} of ${String(redis.shards.length)} shards marked`;
  }

  private async drain(running: Running): Promise<string | null> {
    const { redis } = this.deps;
    if (redis === null) return null;
    const { of, lost } = running;
    return redis.drain.run({
      waitForGrants: of.to === 'DRAIN',
      deadlineMs: this.settings.drainDeadlineMs,
      signal: AbortSignal.any([lost.signal, this.ending.signal]),
      tell: (waitsFor) => this.report(running, waitsFor),
    });
  }
}

/** DEGRADED trusts Redis with nothing, so that there is nobody to ask for what it holds. */
function needsDrain(to: EngineMode): boolean {
  return to === 'RELIABLE' || to === 'DUAL_WRITE' || to === 'DRAIN';
}
