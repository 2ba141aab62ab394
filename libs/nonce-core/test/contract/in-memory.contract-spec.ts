import { moveRow, snapshot } from '../../src/testing/in-memory-row';
import {
  FakeClock,
  InMemoryNonceEngine,
  contractWorld,
  describeNonceEngine,
  type ContractSubject,
} from '../../src/testing';

describeNonceEngine('the in-memory engine', async (): Promise<ContractSubject> => {
  const clock = new FakeClock();
  const engine = new InMemoryNonceEngine({ ...contractWorld(), clock });
  const rowOf = (allocation: Parameters<ContractSubject['expire']>[0]) => {
    const row = engine.queueOf(allocation.submitter).rows.get(allocation.nonce);
    if (row === undefined) throw new Error('no such row');
    return row;
  };
  return {
    engine,
    // It has no store that a second one could share: every "node" is the same object.
    secondNode: async () => engine,
    expire: async (allocation) => {
      const row = rowOf(allocation);
      if (row.deadlineMs !== null) row.deadlineMs = clock.nowMs() - 1;
      if (row.stage === 'QUARANTINED') row.releaseAtMs = clock.nowMs() - 1;
    },
    moveTo: async (allocation, stage) => moveRow(rowOf(allocation), stage, clock.nowMs()),
    rows: async (submitter) => engine.rows(submitter).map(snapshot),
    chainCount: async (submitter, count) => {
      engine.queueOf(submitter).chainLatest = count;
    },
    setWindow: async (submitter, maxInFlight) => {
      engine.queueOf(submitter).maxInFlight = maxInFlight;
    },
    setPaused: async (submitter, paused) => {
      engine.queueOf(submitter).pausedReason = paused ? 'asked' : null;
    },
    close: async () => undefined,
  };
});
