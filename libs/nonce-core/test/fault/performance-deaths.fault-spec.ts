import { STEP_DEATHS } from './chaos/process-faults';
import { SEED, survive, WORLD_TIMEOUT_MS } from './chaos/survive';

describe(`nodes killed between any two steps (seed ${SEED})`, () => {
  it(
    'S1, S2, S8, S10, S12: what they held comes back, and nothing they were told is lost',
    async () => {
      const report = await survive(STEP_DEATHS);
      expect(report.struck).toHaveLength(STEP_DEATHS.length);
    },
    WORLD_TIMEOUT_MS,
  );
});
