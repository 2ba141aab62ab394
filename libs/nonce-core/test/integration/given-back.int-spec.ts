import type { Exposure } from '../../src/domain/allocation';
import type { EventStage, FastGrant } from '../../src/ports/fast-store.port';
import type { FastEpoch, IntentPolicy } from '../../src/ports/fast-epoch-store.port';
import { PostgresFlushStore } from '../../src/postgres/postgres-flush-store';
import { FastEpochBench, grantOf } from '../support/fast-epochs';
import { openStore, QUARANTINE } from '../support/store-fixture';

let bench: FastEpochBench;

beforeAll(async () => {
  bench = new FastEpochBench(await openStore());
});
afterAll(() => bench.fixture.close());

async function heard(grant: FastGrant, stage: EventStage, rank: number): Promise<void> {
  const event = { grant, stage, rank, hashes: [], note: null, atMs: grant.grantedAtMs };
  await new PostgresFlushStore(bench.fixture.runner).apply([event], QUARANTINE);
}

/** A first holder that Postgres has heard of, and who was granted its nonce after it in the store. */
async function regranted(
  intents: IntentPolicy,
  exposure: Exposure,
): Promise<{ epoch: FastEpoch; first: FastGrant; second: FastGrant }> {
  const epoch = await bench.enter(await bench.opened(), { intents });
  const first = grantOf(epoch, 0, { exposure });
  await heard(first, 'GRANTED', 1);
  const generation = first.generation + 1;
  const second = grantOf(epoch, 0, { exposure: 'declared', source: 'recycled', generation });
  return { epoch, first, second };
}

describe('a nonce that its holder gave back to its store before Postgres heard of it', () => {
  it.each(['inferred', 'assumed', 'declared'] as const)(
    'S1, S3: under relaxed the next holder sends it, whatever is heard of an %s one later',
    async (exposure) => {
      const { first, second } = await regranted('relaxed', exposure);
      expect(await bench.say('intent', second)).toBe('INTENT');
      await heard(first, 'REUSABLE', 2);
      expect(await bench.say('used', second)).toBe('ASSERTED');
    },
  );

  it('S1, S3: under strict one that may send without a word has said so to Postgres, or not at all', async () => {
    const { second } = await regranted('strict', 'inferred');
    expect(await bench.say('intent', second)).toBe('NONCE_FENCED');
  });

  it('S1: nor is it taken for given back where it was granted again as a fresh one', async () => {
    const { second } = await regranted('relaxed', 'inferred');
    expect(await bench.say('intent', { ...second, source: 'fresh' })).toBe('NONCE_FENCED');
  });
});
