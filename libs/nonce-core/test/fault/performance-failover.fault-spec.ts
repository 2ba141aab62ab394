import { FAILOVER_FAULTS } from './chaos/failover-faults';
import { SEED, survive, WORLD_TIMEOUT_MS } from './chaos/survive';

describe(`a Redis that fails over to a replica, also a lagging one, splits and fails back (seed ${SEED})`, () => {
  it(
    'S1, S3, S8, S9: what only the lost history knew is not issued clean again',
    async () => {
      // Under relaxed intents nothing but the incarnation and the ceiling stands against it.
      const report = await survive(FAILOVER_FAULTS, { intents: 'relaxed', replica: true });
      expect(report.struck).toHaveLength(FAILOVER_FAULTS.length);
    },
    WORLD_TIMEOUT_MS,
  );
});
