import { POSTGRES_FAULTS } from './chaos/postgres-faults';
import { PROCESS_FAULTS, STEP_DEATHS } from './chaos/process-faults';
import { REDIS_FAULTS } from './chaos/redis-faults';
import { SEED, survive, WORLD_TIMEOUT_MS } from './chaos/survive';

const NAMES = /^(kill -9|FLUSHALL|a node dies (before|after) (store.command|epochs.record)$)/;
const FAULTS = [...REDIS_FAULTS, ...POSTGRES_FAULTS, ...PROCESS_FAULTS, ...STEP_DEATHS].filter(
  ({ name }) => NAMES.test(name),
);

describe(`real transfers while nodes and stores are killed (seed ${SEED})`, () => {
  it(
    'S4, S5, S6, L1: no work is executed twice, and the chain takes every nonce below the counter',
    async () => {
      const report = await survive(FAULTS, { chain: true, callers: 3, submitters: 2 });
      expect(report.struck).toHaveLength(FAULTS.length);
      expect(report.mined).toBeGreaterThan(50);
    },
    WORLD_TIMEOUT_MS,
  );
});
