import { drains, type EngineMode, type LastingMode } from '../domain/engine-mode';
import { NonceError } from '../domain/errors/nonce-error';
import type { Clock } from '../ports/clock.port';
import type { EventSink } from '../ports/events.port';
import type { FastStore } from '../ports/fast-store.port';
import type { Logger } from '../ports/logger.port';
import type { Metrics } from '../ports/metrics.port';
import type { ModeSource } from '../ports/mode-source.port';
import type { ModeRow, ModeStore, ModeSwitch, PhaseReport } from '../ports/mode-store.port';
import type { SwitchRunner } from './switch-runner';

export interface RecordSwitchDeps {
  readonly store: Pick<ModeStore, 'switchTo'>;
  readonly view: Pick<ModeSource, 'refresh'>;
  readonly runner: Pick<SwitchRunner, 'name' | 'start'>;
  /** null where this process has no Redis. */
  readonly redis: {
    readonly fast: Pick<FastStore, 'raiseMode'>;
    readonly shards: readonly number[];
  } | null;
  readonly events: EventSink;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly clock: Clock;
}

export interface WantedSwitch {
  readonly to: EngineMode;
  readonly actor: string;
  readonly reason: string;
  readonly automatic: boolean;
  readonly pinned: boolean;
  readonly returnTo: LastingMode | null;
  readonly dwellMs: number;
  readonly preflight: PhaseReport;
}

/**
 * Records a switch away from the mode that was seen, and lets what follows from it begin. From the
 * commit on the new mode counts, whatever becomes of the rest.
 */
export class RecordSwitch {
  constructor(private readonly deps: RecordSwitchDeps) {}

  /**
   * null = another switch was faster.
   * @throws NonceError NONCE_STORE_UNAVAILABLE; also of Redis where that is to be issued from.
   */
  async record(
    seen: Pick<ModeRow, 'mode' | 'epoch'>,
    wanted: WantedSwitch,
  ): Promise<ModeSwitch | null> {
    const { store, view, runner, events, metrics, logger, clock } = this.deps;
    const startedAtMs = clock.nowMs();
    if (wanted.to === 'PERFORMANCE' && !(await this.markLeftMode(seen))) return null;
    const recorded = await store.switchTo({
      ...wanted,
      seenEpoch: seen.epoch,
      runner: runner.name,
    });
    if (recorded === null) return null;
    const { from, to, epoch, actor, reason, automatic } = recorded;
    const trigger = automatic ? 'automatic' : 'operator';
    metrics.count('nonce_mode_switches_total', { from, to, trigger });
    events.publish('mode.phase', { phase: 'record', mode: to });
    logger.info('the mode was switched', { from, to, epoch, actor, reason });
    const phase = { phase: 'record', startedAtMs, endedAtMs: clock.nowMs(), note: null } as const;
    runner.start({ id: recorded.id, phase });
    // Others see it with their next look; this node need not wait for its own.
    await view.refresh().catch(() => undefined);
    return recorded;
  }

  /**
   * A Redis that was away when it was left knows nothing of that: it would go on with epochs that
   * Postgres has closed, until it is marked, and each holder would be fenced. So it is told first.
   * @returns false when the mode is another one by now.
   */
  private async markLeftMode({ mode, epoch }: Pick<ModeRow, 'mode' | 'epoch'>): Promise<boolean> {
    const { redis, view } = this.deps;
    if (redis === null) return true;
    const took = await redis.fast.raiseMode({ epoch, drain: drains(mode) }, redis.shards);
    if (took.length === redis.shards.length) return true;
    if ((await view.refresh()).epoch !== epoch) return false;
    const reason = `${String(redis.shards.length - took.length)} shards could not be marked`;
    throw new NonceError('NONCE_STORE_UNAVAILABLE', { context: { store: 'redis', reason } });
  }
}
