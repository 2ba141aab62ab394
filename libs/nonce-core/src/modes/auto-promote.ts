import type { Clock } from '../ports/clock.port';
import type { Logger } from '../ports/logger.port';
import type { ModeSource } from '../ports/mode-source.port';
import { decidePromotion, type AutoPromoteSettings } from './decide-promotion';
import { AUTOMATIC_ACTOR } from './degrade';
import type { LoadMeter } from './load-meter';
import type { Preflight } from './preflight';
import type { RecordSwitch } from './record-switch';

export interface AutoPromoteDeps {
  readonly load: Pick<LoadMeter, 'busyMs'>;
  readonly mode: Pick<ModeSource, 'current'>;
  readonly preflight: Preflight;
  readonly recording: RecordSwitch;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Walks from RELIABLE over DUAL_WRITE to PERFORMANCE while the load of this node lasts. */
export class AutoPromote {
  private refused = '';

  constructor(
    private readonly deps: AutoPromoteDeps,
    private readonly settings: AutoPromoteSettings,
  ) {}

  /** To be called once per second. @throws NonceError NONCE_STORE_UNAVAILABLE. */
  async tick(): Promise<void> {
    const { load, mode, preflight, recording, clock, logger } = this.deps;
    const row = mode.current();
    // Each step has to be asked for by a load of its own time.
    const busyMs = Math.min(load.busyMs(), row.ageMs);
    const to = decidePromotion(row, busyMs, this.settings);
    if (to === null) return;
    const startedAtMs = clock.nowMs();
    const checks = await preflight.run({ from: row.mode, to });
    const reason = checks
      .flatMap(({ name, ok, detail }) => (ok ? [] : `${name}: ${detail}`))
      .join();
    if (reason !== '') {
      if (reason !== this.refused) logger.warn('the load asks for a faster mode', { to, reason });
      this.refused = reason;
      return;
    }
    this.refused = '';
    await recording.record(row, {
      to,
      actor: AUTOMATIC_ACTOR,
      reason: `${String(this.settings.allocationsPerSecond)} allocations per second for ${String(Math.round(busyMs / 1_000))} s`,
      automatic: true,
      pinned: false,
      returnTo: null,
      dwellMs: 0,
      preflight: { phase: 'preflight', startedAtMs, endedAtMs: clock.nowMs(), note: null },
    });
  }
}
