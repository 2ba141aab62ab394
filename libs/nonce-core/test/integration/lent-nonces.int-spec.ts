import type { EventStage, FastGrant } from '../../src/ports/fast-store.port';
import type { FastEpoch } from '../../src/ports/fast-epoch-store.port';
import { PostgresFlushStore } from '../../src/postgres/postgres-flush-store';
import { epochOf, FastEpochBench, grantOf } from '../support/fast-epochs';
import { openStore, QUARANTINE } from '../support/store-fixture';

let bench: FastEpochBench;

beforeAll(async () => {
  bench = new FastEpochBench(await openStore());
});
afterAll(() => bench.fixture.close());

/** A declared grant that ran out in its store, as Postgres hears of it. */
async function expired(epoch: FastEpoch): Promise<FastGrant> {
  const grant = grantOf(epoch, 0, { exposure: 'declared' });
  const told = (stage: EventStage, rank: number) => ({
    ...{ grant, stage, rank, hashes: [], note: null },
    atMs: grant.grantedAtMs,
  });
  const events = [told('GRANTED', 1), told('EXPIRED', 2)];
  await new PostgresFlushStore(bench.fixture.runner).apply(events, QUARANTINE);
  return grant;
}

async function lend(epoch: FastEpoch): Promise<void> {
  const [answer] = await bench.epochs.refill(
    [{ view: epoch.view, ceilingSeen: epoch.ceiling, raise: 0, defaultWindow: 0 }],
    'relaxed',
  );
  expect(epochOf(answer).free).toEqual([{ nonce: 0, tainted: false }]);
}

describe('S1: a free nonce that was lent to a relaxed store, and its late owner', () => {
  it('who asked before it was lent is refused after it: somebody may have been granted it there', async () => {
    const epoch = await bench.enter(await bench.opened(), { intents: 'relaxed' });
    const late = await expired(epoch);
    await lend(epoch);
    expect(await bench.say('intent', late)).toBe('NONCE_FENCED');
  });

  it('who got it back from that store has it as a later grant, and may send', async () => {
    const epoch = await bench.enter(await bench.opened(), { intents: 'relaxed' });
    const late = await expired(epoch);
    await lend(epoch);
    expect(await bench.say('intent', { ...late, generation: 3 })).toBe('INTENT');
  });

  it('whose nonce was not lent adopts it', async () => {
    const epoch = await bench.enter(await bench.opened(), { intents: 'relaxed' });
    expect(await bench.say('intent', await expired(epoch))).toBe('INTENT');
  });
});
