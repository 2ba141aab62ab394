import type { Clock } from '../ports/clock.port';
import type { Logger } from '../ports/logger.port';
import type { ModeSource } from '../ports/mode-source.port';
import { refuseReturn, type DwellSettings } from './decide-dwell';
import { AUTOMATIC_ACTOR } from './degrade';
import type { Preflight } from './preflight';
import type { RecordSwitch } from './record-switch';
import type { ShardBreakers } from './shard-breakers';

export interface ReturnToFastDeps {
  readonly breakers: Pick<ShardBreakers, 'open' | 'look'>;
  readonly mode: Pick<ModeSource, 'current' | 'refresh'>;
  readonly preflight: Preflight;
  readonly recording: RecordSwitch;
  readonly clock: Clock;
  readonly logger: Logger;
  /** From 0 up to 1: probes at even times would never meet a store that fails at even times. */
  readonly random: () => number;
}

export interface ReturnSettings extends Pick<DwellSettings, 'returnAfterMs'> {
  readonly probeIntervalMs: number;
}

/** Checks that a return needs; whether somebody flushes, say, was no reason to leave. */
const NEEDED = new Set(['edge', 'redis-healthy', 'redis-eviction', 'continuity']);

/**
 * Probes Redis while it is not trusted: closes breakers of shards that answer again, and goes back
 * once all have answered for long enough. Any failure in between starts the time anew.
 */
export class ReturnToFast {
  private cleanSinceMs: number | null = null;
  private refused = '';

  constructor(
    private readonly deps: ReturnToFastDeps,
    private readonly settings: ReturnSettings,
  ) {}

  /** One probe, at a random time within the interval. @throws NonceError NONCE_STORE_UNAVAILABLE. */
  async tick(signal: AbortSignal): Promise<void> {
    const { breakers, mode, clock, random } = this.deps;
    const isDegraded = mode.current().mode === 'DEGRADED';
    if (!isDegraded) this.cleanSinceMs = null;
    if (!isDegraded && breakers.open.length === 0) return;
    await clock.sleep(random() * this.settings.probeIntervalMs, signal);
    if (signal.aborted) return;
    const beganAtMs = clock.monotonicMs();
    const wasOpen = breakers.open.length > 0;
    const open = await breakers.look();
    if (open.length > 0) this.cleanSinceMs = null;
    // What a breaker saw between two probes counts as much as a probe.
    else this.cleanSinceMs = wasOpen ? beganAtMs : (this.cleanSinceMs ?? beganAtMs);
    if (isDegraded && open.length === 0) await this.goBack();
  }

  private async goBack(): Promise<void> {
    const { mode, clock, recording } = this.deps;
    const cleanMs = this.cleanSinceMs === null ? null : clock.monotonicMs() - this.cleanSinceMs;
    if (refuseReturn(mode.current(), cleanMs, this.settings) === 'clean time') return;
    const row = await mode.refresh();
    if (refuseReturn(row, cleanMs, this.settings) !== null || row.returnTo === null) return;
    const startedAtMs = clock.nowMs();
    if (!(await this.passes(row.returnTo))) return;
    await recording.record(row, {
      to: row.returnTo,
      actor: AUTOMATIC_ACTOR,
      reason: `Redis has answered for ${String(Math.round((cleanMs ?? 0) / 1_000))} s`,
      automatic: true,
      pinned: false,
      returnTo: null,
      // Remembered for the next time: a relapse is trusted later.
      dwellMs: row.dwellMs,
      preflight: {
        phase: 'preflight',
        startedAtMs,
        endedAtMs: clock.nowMs(),
        note: 'canary passed',
      },
    });
  }

  private async passes(to: 'RELIABLE' | 'DUAL_WRITE' | 'PERFORMANCE'): Promise<boolean> {
    const checks = await this.deps.preflight.run({ from: 'DEGRADED', to });
    const failed = checks.filter(({ name, ok }) => !ok && NEEDED.has(name));
    const reason = failed.map(({ name, detail }) => `${name}: ${detail}`).join(', ');
    // Said once: it is asked again with every probe.
    if (reason !== '' && reason !== this.refused) {
      this.deps.logger.warn('Redis answers again and is not gone back to', { reason });
    }
    this.refused = reason;
    return failed.length === 0;
  }
}
