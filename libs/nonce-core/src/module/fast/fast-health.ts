import type { PerformanceEngine } from '../../engines/performance/performance-engine';
import type { FlushEvents } from '../../flush/flush-events';
import type { FlushOverview } from '../../flush/flush-overview';
import type { ShardBreakers } from '../../modes/shard-breakers';
import type { Clock } from '../../ports/clock.port';
import type { StoreHealth } from '../../ports/health.port';
import type { ModeSource } from '../../ports/mode-source.port';
import type { ContinuityWatch } from '../../recovery/continuity-watch';
import type { HealthFacts } from '../nonce-health-indicator';
import { decideReactions, type HealthFigures, type HealthThresholds } from './decide-reactions';
import type { FastSide } from './fast-side';

type Facts = Readonly<Record<string, unknown>>;

export interface FastHealthParts {
  readonly source: Pick<ModeSource, 'current'>;
  readonly side: FastSide | null;
  readonly engine: PerformanceEngine | null;
  readonly overview: FlushOverview;
  readonly watch: ContinuityWatch | null;
  readonly clock: Clock;
  /** null where nothing is flushed. */
  readonly flush: Pick<FlushEvents, 'health'> | null;
  readonly breakers: Pick<ShardBreakers, 'open'> | null;
  readonly thresholds: HealthThresholds;
}

/** The mode, and with Redis: what waits there, how flushing goes, and whether Postgres is trusted. */
export class FastHealth implements HealthFacts {
  constructor(private readonly parts: FastHealthParts) {}

  async read(timeoutMs: number): Promise<Facts> {
    const { source, side, engine, watch } = this.parts;
    const { mode } = source.current();
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

  react(stores: readonly StoreHealth[], facts: Facts): Facts {
    const { source, side, flush, breakers, thresholds } = this.parts;
    const found = (name: StoreHealth['store']) => stores.find(({ store }) => store === name);
    const queue = facts['flush'] as
      { queued?: number; oldestEventAgeMs?: number | null } | undefined;
    const { up = false, latencyMs = null } = found('postgres') ?? {};
    const figures: HealthFigures = {
      mode: source.current().mode,
      database: { up, latencyMs },
      redis:
        side === null
          ? null
          : { up: found('redis')?.up ?? false, openShards: breakers?.open.length ?? 0 },
      queued: queue?.queued ?? null,
      oldestEventAgeMs: queue?.oldestEventAgeMs ?? null,
      flushSuccessPercent: flush?.health().successPercent ?? null,
    };
    return { ...decideReactions(figures, thresholds) };
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
