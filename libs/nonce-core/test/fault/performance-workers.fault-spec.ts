import { WORKER_DEATHS } from './chaos/process-faults';
import { SEED, survive, WORLD_TIMEOUT_MS } from './chaos/survive';

describe(`flush workers killed between any two steps, and every event delivered twice (seed ${SEED})`, () => {
  it(
    'S8, S11, S12: every event arrives, and none changes anything twice',
    async () => {
      const report = await survive(WORKER_DEATHS, { intents: 'relaxed', workers: 2 });
      expect(report.struck).toHaveLength(WORKER_DEATHS.length);
    },
    WORLD_TIMEOUT_MS,
  );
});
