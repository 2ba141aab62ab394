import { POSTGRES_FAULTS } from './chaos/postgres-faults';
import { SEED, survive, WORLD_TIMEOUT_MS } from './chaos/survive';

describe(`Postgres killed, restarted and cut off at commit under load (seed ${SEED})`, () => {
  it(
    'S1, S2, S8, S11, S12: what was committed and not answered is neither lost nor done twice',
    async () => {
      const report = await survive(POSTGRES_FAULTS);
      expect(report.struck).toHaveLength(POSTGRES_FAULTS.length);
    },
    WORLD_TIMEOUT_MS,
  );
});
