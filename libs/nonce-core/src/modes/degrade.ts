import type { Clock } from '../ports/clock.port';
import type { Logger } from '../ports/logger.port';
import type { Metrics } from '../ports/metrics.port';
import type { ModeSource } from '../ports/mode-source.port';
import type { ModeSnapshot } from '../ports/mode-store.port';
import { decideDwell, type DwellSettings } from './decide-dwell';
import type { RecordSwitch } from './record-switch';
import type { ShardBreakers } from './shard-breakers';

export interface DegradeDeps {
  readonly breakers: Pick<ShardBreakers, 'confirmed' | 'onOpen'>;
  readonly mode: Pick<ModeSource, 'current' | 'refresh'>;
  readonly recording: RecordSwitch;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

export interface DegradeSettings extends DwellSettings {
  /** False: a failing Redis is refused with, and nothing is switched. */
  readonly onRedisFailure: boolean;
}

/** Who is said to have done what happened by itself. */
export const AUTOMATIC_ACTOR = 'noncekit';
/** One that lost to another switch looks what that one was, and tries once more. */
const TRIES = 2;

/** Leaves Redis for Postgres as soon as a breaker stays open, for all nodes together. */
export class Degrade {
  private running: Promise<void> | null = null;
  private countedAtMs: number | null = null;

  constructor(
    private readonly deps: DegradeDeps,
    private readonly settings: DegradeSettings,
  ) {
    deps.breakers.onOpen(() => {
      this.tick().catch((error: unknown) => {
        deps.logger.error('Redis fails and the mode cannot be switched', { reason: String(error) });
      });
    });
  }

  /**
   * Repeats what could not be recorded while Postgres was away, and counts the time in DEGRADED.
   * @throws NonceError NONCE_STORE_UNAVAILABLE.
   */
  tick(): Promise<void> {
    this.countTime();
    this.running ??= this.work().finally(() => {
      this.running = null;
    });
    return this.running;
  }

  private async work(): Promise<void> {
    const { breakers, mode, metrics } = this.deps;
    const open = await breakers.confirmed();
    metrics.set('nonce_store_up', { store: 'redis' }, open.length === 0 ? 1 : 0);
    if (!this.settings.onRedisFailure || open.length === 0) return;
    for (let count = 0; count < TRIES; count += 1) {
      const row = mode.current();
      if (row.mode !== 'PERFORMANCE' || (await this.leave(row, open.length))) return;
      await mode.refresh();
    }
  }

  private async leave(row: ModeSnapshot, shards: number): Promise<boolean> {
    const { recording, clock, metrics } = this.deps;
    const nowMs = clock.nowMs();
    const recorded = await recording.record(row, {
      to: 'DEGRADED',
      actor: AUTOMATIC_ACTOR,
      reason: `Redis fails: ${String(shards)} shards do not answer`,
      automatic: true,
      pinned: false,
      returnTo: 'PERFORMANCE',
      dwellMs: decideDwell(row, this.settings),
      preflight: { phase: 'preflight', startedAtMs: nowMs, endedAtMs: nowMs, note: 'by a breaker' },
    });
    if (recorded === null) return false;
    metrics.count('nonce_degraded_total', {});
    return true;
  }

  private countTime(): void {
    const { clock, metrics, mode } = this.deps;
    const nowMs = clock.monotonicMs();
    const sinceMs = this.countedAtMs;
    this.countedAtMs = mode.current().mode === 'DEGRADED' ? nowMs : null;
    if (sinceMs === null) return;
    metrics.count('nonce_degraded_seconds_total', {}, (nowMs - sinceMs) / 1_000);
  }
}
