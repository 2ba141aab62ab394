import type { Clock } from '../ports/clock.port';
import type { ModeSource } from '../ports/mode-source.port';
import { decideReroute } from './decide-reroute';

export interface ReroutePorts {
  readonly mode: Pick<ModeSource, 'current' | 'refresh' | 'waitForChange'>;
  readonly clock: Clock;
}

export interface RerouteSettings {
  /** How long a caller may wait for a switch, in milliseconds. */
  readonly waitMs: number;
  /** Whether a failing Redis ends in another mode. */
  readonly degrades: boolean;
}

/** Lets callers wait while the mode changes, instead of failing. */
export class Reroute {
  constructor(
    private readonly ports: ReroutePorts,
    private readonly settings: RerouteSettings,
  ) {}

  /**
   * Asks `route` for an engine again whenever the one before did not serve its submitter. The wait
   * begins with the first refusal: who stood in a queue before it has not waited for any switch yet.
   */
  async run<Engine extends { readonly name: string }, Answer>(
    route: () => Engine,
    work: (engine: Engine) => Promise<Answer>,
  ): Promise<Answer> {
    const { mode, clock } = this.ports;
    let refusedAtMs: number | null = null;
    for (let attempt = 0; ; attempt += 1) {
      const { epoch } = mode.current();
      const engine = route();
      try {
        return await work(engine);
      } catch (error) {
        const nowMs = clock.monotonicMs();
        refusedAtMs ??= nowMs;
        const waitedMs = nowMs - refusedAtMs;
        const call = { ...this.settings, waitedMs, attempt, engine: engine.name };
        const step = decideReroute(error, call);
        if (step.kind === 'fail') throw error;
        if (step.kind === 'again') {
          await clock.sleep(step.pauseMs);
          await mode.refresh();
        } else {
          await mode.waitForChange(epoch, step.atMostMs);
        }
      }
    }
  }
}
