import type { FastGrant } from '../../src/ports/fast-store.port';
import { PostgresFlushStore } from '../../src/postgres/postgres-flush-store';
import { FastEpochBench, grantOf } from '../support/fast-epochs';
import { openStore, QUARANTINE } from '../support/store-fixture';

let bench: FastEpochBench;

beforeAll(async () => {
  bench = new FastEpochBench(await openStore());
});
afterAll(() => bench.fixture.close());

/** What a worker does with the events of these grants. */
async function flush(...grants: readonly FastGrant[]): Promise<void> {
  const events = grants.map((grant) => ({
    grant,
    stage: 'GRANTED' as const,
    rank: 1,
    hashes: [],
    note: null,
    atMs: grant.grantedAtMs,
  }));
  await new PostgresFlushStore(bench.fixture.runner).apply(events, QUARANTINE);
}

describe('S4: grants of an operation that are flushed before they are recorded', () => {
  it.each([1, 3])('bind it all the same, %d of them', async (count) => {
    const submitter = await bench.opened();
    const epoch = await bench.enter(submitter);
    const grants = Array.from({ length: count }, (_, nonce) =>
      grantOf(epoch, nonce, { operationId: 'pay', generation: 2 + nonce }),
    );
    await flush(...grants);
    const recorded = await bench.record(...grants);
    expect(recorded).toMatchObject({
      kind: 'granted',
      allocations: grants.map(({ id }) => ({ id })),
    });

    const again = Array.from({ length: count }, (_, i) =>
      grantOf(epoch, 10 + i, { operationId: 'pay', generation: 20 + i }),
    );
    const replay = await bench.record(...again);
    expect(replay).toMatchObject({
      kind: 'granted',
      replayed: true,
      allocations: grants.map(({ id, nonce }) => ({ id, nonce })),
    });
  });

  it('also when only some of a block were', async () => {
    const submitter = await bench.opened();
    const epoch = await bench.enter(submitter);
    const [first, second] = [2, 3].map((generation) =>
      grantOf(epoch, generation, { operationId: 'pay', generation }),
    ) as [FastGrant, FastGrant];
    await flush(first);
    await bench.record(first, second);
    const late = [4, 5].map((nonce) =>
      grantOf(epoch, nonce, { operationId: 'pay', generation: nonce }),
    );
    const replay = await bench.record(...late);
    expect(replay).toMatchObject({
      replayed: true,
      allocations: [{ id: first.id }, { id: second.id }],
    });
  });

  it('a repeated record finds them its own, and an operation that is bound elsewhere by then is answered with that', async () => {
    const submitter = await bench.opened();
    const epoch = await bench.enter(submitter);
    const grant = grantOf(epoch, 0, { operationId: 'pay' });
    await flush(grant);
    await bench.record(grant);
    expect(await bench.record(grant)).toMatchObject({
      kind: 'granted',
      allocations: [{ id: grant.id }],
    });

    const rival = grantOf(epoch, 1, { operationId: 'pay', generation: 3 });
    await flush(rival);
    expect(await bench.record(rival)).toMatchObject({
      kind: 'granted',
      replayed: true,
      allocations: [{ id: grant.id }],
    });
  });
});
