import { STEP_DEATHS, WORKER_DEATHS } from './chaos/process-faults';
import { SEED, survive, WORLD_TIMEOUT_MS } from './chaos/survive';

describe(`nodes and workers killed between any two steps (seed ${SEED})`, () => {
  it(
    'S1, S2, S8, S10, S12: nodes: what they held comes back, and nothing they were told is lost',
    async () => {
      const report = await survive(STEP_DEATHS);
      expect(report.struck).toHaveLength(STEP_DEATHS.length);
    },
    WORLD_TIMEOUT_MS,
  );

  it(
    'S8, S11, S12: workers: every event arrives, also when all of them are delivered twice',
    async () => {
      const report = await survive(WORKER_DEATHS, { intents: 'relaxed', workers: 2 });
      expect(report.struck).toHaveLength(WORKER_DEATHS.length);
    },
    WORLD_TIMEOUT_MS,
  );
});
