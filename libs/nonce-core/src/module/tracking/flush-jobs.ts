import type { FlushEvents } from '../../flush/flush-events';
import type { MeasureFlush } from '../../flush/measure-flush';
import type { JobPlan } from './periodic-job';

export interface FlushJobParts {
  readonly flush: Pick<FlushEvents, 'tick' | 'stop'>;
  readonly measure: Pick<MeasureFlush, 'tick'>;
  /** Between looks at empty streams; a full one is read without a pause. */
  readonly intervalMs: number;
}

/** Gauges are read by scrapes, which come every 15 s or so. */
const MEASURE_INTERVAL_MS = 5_000;

/** What a worker does to bring events of the fast store to their rows. */
export function flushJobs({ flush, measure, intervalMs }: FlushJobParts): readonly JobPlan[] {
  return [
    {
      name: 'flush',
      intervalMs,
      run: (signal) => flush.tick(signal),
      // Other workers may take its shards at once.
      end: () => flush.stop(),
    },
    { name: 'measure-flush', intervalMs: MEASURE_INTERVAL_MS, run: () => measure.tick() },
  ];
}
