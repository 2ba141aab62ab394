import type { FlushDeps, FlushSettings } from '../../flush/flush-deps';
import { FlushEvents } from '../../flush/flush-events';
import { MeasureFlush } from '../../flush/measure-flush';
import type { DeadLetterStore } from '../../ports/flush-store.port';
import type { JobPlan } from './periodic-job';

export interface FlushJobParts {
  readonly deps: FlushDeps;
  readonly letters: DeadLetterStore;
  readonly settings: FlushSettings;
  /** Between looks at empty streams; a full one is read without a pause. */
  readonly intervalMs: number;
}

export interface FlushJobs {
  /** To be stopped after the jobs have ended: hands its shards over to other workers. */
  readonly flush: FlushEvents;
  readonly plans: readonly JobPlan[];
}

/** Gauges are read by scrapes, which come every 15 s or so. */
const MEASURE_INTERVAL_MS = 5_000;

/** What a worker does to bring events of the fast store to their rows. */
export function flushJobs({ deps, letters, settings, intervalMs }: FlushJobParts): FlushJobs {
  const flush = new FlushEvents(deps, settings);
  const { queue, metrics } = deps;
  const measure = new MeasureFlush({ queue, letters, metrics }, settings.shards);
  return {
    flush,
    plans: [
      { name: 'flush', intervalMs, run: (signal) => flush.tick(signal) },
      { name: 'measure-flush', intervalMs: MEASURE_INTERVAL_MS, run: () => measure.tick() },
    ],
  };
}
