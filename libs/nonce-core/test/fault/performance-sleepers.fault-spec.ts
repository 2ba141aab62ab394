import { PROCESS_FAULTS, STEP_PAUSES } from './chaos/process-faults';
import { SEED, survive, WORLD_TIMEOUT_MS } from './chaos/survive';

/** Long pauses are slow to test: these are the dangerous ones, all of them come in `npm run chaos`. */
const DANGEROUS =
  /(before fast.open|after fast.allocate|(after|before) (fast|epochs).refill|before store.command)/;
const FAULTS = [...STEP_PAUSES.filter(({ name }) => DANGEROUS.test(name)), ...PROCESS_FAULTS];

describe(`nodes that stand still between two steps until their time is over (seed ${SEED})`, () => {
  it(
    'S1, S2, S3, S9, S10: who wakes late takes nothing from the next owner',
    async () => {
      const report = await survive(FAULTS, { intents: 'relaxed' });
      expect(report.struck).toHaveLength(FAULTS.length);
    },
    WORLD_TIMEOUT_MS,
  );
});
