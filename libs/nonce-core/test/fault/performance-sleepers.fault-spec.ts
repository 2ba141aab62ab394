import { PROCESS_FAULTS, STEP_PAUSES } from './chaos/process-faults';
import { SEED, survive, WORLD_TIMEOUT_MS } from './chaos/survive';

/** Long pauses are slow to test: every second of them here, all of them by `npm run chaos`. */
const EVERY_SECOND = STEP_PAUSES.filter((_, index) => index % 2 === 1);

describe(`nodes that stand still between two steps until their time is over (seed ${SEED})`, () => {
  it.each([
    ['strict', EVERY_SECOND.slice(0, 5)],
    ['relaxed', EVERY_SECOND.slice(5)],
  ] as const)(
    'S1, S2, S3, S9, S10: %s intents: who wakes late takes nothing from the next owner',
    async (intents, pauses) => {
      const faults = [...pauses, ...PROCESS_FAULTS];
      const report = await survive(faults, { intents });
      expect(report.struck).toHaveLength(faults.length);
    },
    WORLD_TIMEOUT_MS,
  );
});
