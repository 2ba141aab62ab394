import { REDIS_FAULTS } from './chaos/redis-faults';
import { SEED, survive, WORLD_TIMEOUT_MS } from './chaos/survive';

describe(`Redis killed, stopped, flushed, cut off, rolled back and deleted from under load (seed ${SEED})`, () => {
  it.each(['strict', 'relaxed'] as const)(
    'S1, S3, S8, S9, S12: %s intents: no nonce has two owners, none is lost, nothing acknowledged is forgotten',
    async (intents) => {
      const report = await survive(REDIS_FAULTS, { intents });
      expect(report.struck).toHaveLength(REDIS_FAULTS.length);
    },
    WORLD_TIMEOUT_MS,
  );
});
