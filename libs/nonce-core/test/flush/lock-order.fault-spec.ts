import { isNonceError, NonceError } from '../../src/domain/errors/nonce-error';
import type { FastEpoch } from '../../src/ports/fast-epoch-store.port';
import type { FastGrant } from '../../src/ports/fast-store.port';
import { integerBetween, seededRandom } from '../fault/seeded-random';
import { hashOf, QUARANTINE } from '../support/store-fixture';
import { eventOf, grantOf, openFlushBench, type FlushBench } from './flushed-rows';

/** How long the writers go on; raise it for the ten minutes that H-19 speaks of. */
const LOAD_MS = 6_000;
const SUBMITTERS = 6;
const NONCES = 12;
const BATCH = 20;
const SEED = 20_261_123;

let bench: FlushBench;
beforeAll(async () => {
  bench = await openFlushBench();
});
afterAll(() => bench.close());

/** Grants of several generations of the same nonces, as a busy free set hands them out. */
function someGrants(epochs: readonly FastEpoch[]): FastGrant[] {
  return epochs.flatMap((epoch) =>
    Array.from({ length: NONCES * 3 }, (_, i) =>
      grantOf(epoch, i % NONCES, {
        generation: 2 + Math.floor(i / NONCES),
        source: i < NONCES ? 'fresh' : 'recycled',
      }),
    ),
  );
}

it(
  'H-19: flushes, intents, records and commands over the same rows in opposite orders never deadlock',
  async () => {
    const epochs = await Promise.all(Array.from({ length: SUBMITTERS }, () => bench.inEpoch()));
    const grants = someGrants(epochs);
    const random = seededRandom(SEED);
    const some = (): FastGrant[] =>
      Array.from({ length: BATCH }, () => grants[integerBetween(random, 0, grants.length - 1)]!);
    const failures = new Map<string, number>();
    const rounds = new Map<string, number>();
    const endMs = performance.now() + LOAD_MS;

    const writer = async (name: string, write: (batch: FastGrant[]) => Promise<unknown>) => {
      while (performance.now() < endMs) {
        rounds.set(name, (rounds.get(name) ?? 0) + 1);
        await write([...new Set(some())]).catch((error: unknown) => {
          const state = isDeadlock(error) ? 'deadlock' : String(error);
          failures.set(`${name}: ${state}`, (failures.get(`${name}: ${state}`) ?? 0) + 1);
        });
      }
    };
    const flushed = (batch: FastGrant[]) =>
      bench.apply(
        ...batch.flatMap((grant) => [eventOf(grant, 'GRANTED'), eventOf(grant, 'REUSABLE')]),
      );
    const intents = (batch: FastGrant[]) =>
      bench.fixture.store.command(
        batch.map((grant) => ({ ...words(grant), command: 'intent', txHash: hashOf(grant.nonce) })),
        QUARANTINE,
      );
    const settled = (batch: FastGrant[]) =>
      bench.fixture.store.command(
        batch.map((grant) => ({ ...words(grant), command: 'recyclable' })),
        QUARANTINE,
      );
    const recorded = (batch: FastGrant[]) =>
      bench.epochs.record(batch.map((grant) => ({ grants: [grant], requestHash: null })));

    await Promise.all([
      writer('flush', flushed),
      writer('flush again', (batch) => flushed(batch.reverse())),
      writer('intent', intents),
      writer('intent again', (batch) => intents(batch.reverse())),
      writer('settle', settled),
      writer('record', recorded),
    ]);

    expect(Object.fromEntries(failures)).toEqual({});
    const { rows } = await bench.fixture.database.pool.query<{ deadlocks: string }>(
      'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()',
    );
    expect(rows[0]?.deadlocks).toBe('0');
    for (const count of rounds.values()) expect(count).toBeGreaterThan(3);
  },
  LOAD_MS + 60_000,
);

function words(grant: FastGrant) {
  const { id, submitter, nonce } = grant;
  const silent = { txHash: null, rawTx: null, note: null, ttlMs: 30_000, followable: true };
  return { id, submitter, nonce, grant, ...silent };
}

function isDeadlock(error: unknown): boolean {
  return (
    error instanceof NonceError &&
    isNonceError(error, 'NONCE_STORE_UNAVAILABLE') &&
    error.context['sqlState'] === '40P01'
  );
}
