import type { EngineMode } from '../../domain/engine-mode';
import type { PerformanceEngine } from '../../engines/performance/performance-engine';
import type { FlushOverview } from '../../flush/flush-overview';
import type { Clock } from '../../ports/clock.port';
import type { ContinuityWatch } from '../../recovery/continuity-watch';
import type { HealthFacts } from '../nonce-health-indicator';
import type { FastSide } from './fast-side';

type Facts = Readonly<Record<string, unknown>>;

export interface FastHealthParts {
  readonly mode: EngineMode;
  readonly side: FastSide | null;
  readonly engine: PerformanceEngine | null;
  readonly overview: FlushOverview;
  readonly watch: ContinuityWatch | null;
  readonly clock: Clock;
}

/** The mode, and with Redis: what waits there, how flushing goes, and whether Postgres is trusted. */
export class FastHealth implements HealthFacts {
  constructor(private readonly parts: FastHealthParts) {}

  async read(timeoutMs: number): Promise<Facts> {
    const { mode, side, engine, watch } = this.parts;
    if (side === null) return { mode };
    const known = (facts: Promise<Facts>) => this.within(timeoutMs, facts);
    const [queue, flush, continuity] = await Promise.all([
      known(this.queueFacts()),
      known(this.flushFacts()),
      watch === null ? {} : known(continuityFacts(watch)),
    ]);
    return {
      mode,
      flush: { ...queue, ...flush },
      prefetch: { exhausted: engine?.prefetchExhaustions ?? 0 },
      continuity,
    };
  }

  private async queueFacts(): Promise<Facts> {
    const { queued, oldestEventAgeMs } = await this.parts.overview.queue();
    return { queued, oldestEventAgeMs };
  }

  private async flushFacts(): Promise<Facts> {
    return { ...(await this.parts.overview.record()) };
  }

  private async within(timeoutMs: number, facts: Promise<Facts>): Promise<Facts> {
    const patience = new AbortController();
    const late = this.parts.clock.sleep(timeoutMs, patience.signal).then(() => ({}));
    try {
      return await Promise.race([facts, late]);
    } catch {
      return {};
    } finally {
      patience.abort();
    }
  }
}

async function continuityFacts(watch: ContinuityWatch): Promise<Facts> {
  const { status, recoveries } = await watch.state();
  return { status, recovering: recoveries.total };
}
