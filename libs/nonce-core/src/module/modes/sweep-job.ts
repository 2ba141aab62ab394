import type { Submitter } from '../../domain/submitter';
import type { DrainFast } from '../../modes/drain-fast';
import type { ModeSource } from '../../ports/mode-source.port';
import type { JobPlan } from '../tracking/periodic-job';

const SWEEP_MS = 1_000;

/** Ends fast epochs that no drain and no caller has come across since the mode left them. */
export function sweepJob(drain: DrainFast, source: ModeSource): JobPlan {
  let after: Submitter | null = null;
  return {
    name: 'mode-sweep',
    intervalMs: SWEEP_MS,
    run: async (signal) => {
      const { mode, fastEpochs, runningSwitch } = source.current();
      // In DEGRADED they may rule again soon; a running switch drains by itself.
      const isFast = mode === 'PERFORMANCE' || mode === 'DEGRADED';
      if (isFast || !fastEpochs || runningSwitch !== null) return;
      after = await drain.sweep(after, signal);
    },
  };
}
