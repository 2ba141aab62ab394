import { RedisReplicaPair, RedisServer } from '../../../../tools/src/stack/index';
import type { Allocation } from '../../src/domain/allocation';
import type { Nonce } from '../../src/domain/nonce';
import type { Submitter } from '../../src/domain/submitter';
import type { PerformanceEngine } from '../../src/engines/performance/performance-engine';
import type { PerformanceEngineOptions } from '../../src/engines/performance/performance-options';
import type { AllocateCommand, NonceEngine } from '../../src/ports/engine.port';
import { INTENT_POLICIES } from '../../src/ports/fast-epoch-store.port';
import { PostgresTrackingStore } from '../../src/postgres/postgres-tracking-store';
import { FOLLOWED_CHAIN_ID, PLAIN_CHAIN_ID } from '../../src/testing/contract/contract-world';
import { openFastFixture, redisOfItsOwn, type FastFixture } from '../support/fast-fixture';
import { baselineOf, hashOf, newSubmitter, tokens } from '../support/store-fixture';
import { waitFor } from '../support/wait-for';

type Wish = Partial<Omit<AllocateCommand, 'submitter'>>;

let fixture: FastFixture;
let server: RedisServer;
const engines: PerformanceEngine[] = [];
/** What one test opened beside, ended after its engines. */
const opened: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  server = await RedisServer.start();
  fixture = await openFastFixture({ redis: await redisOfItsOwn(server.url) });
});
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.stop(5_000)));
  for (const each of opened.splice(0)) await each.close();
});
afterAll(async () => {
  await fixture.close();
  await server.stop();
});

/** Submitters without a chain have no window. */
function node(options: Partial<PerformanceEngineOptions> = {}): PerformanceEngine {
  const engine = fixture.node({ maxInFlight: 0, ...options });
  engines.push(engine);
  return engine;
}

const followed = () => newSubmitter(FOLLOWED_CHAIN_ID);
const plain = () => newSubmitter(PLAIN_CHAIN_ID);

async function grant(
  engine: NonceEngine,
  submitter: Submitter,
  wish: Wish = {},
): Promise<readonly Allocation[]> {
  const command = { submitter, count: 1, ttlMs: 60_000, exposure: 'declared', ...wish } as const;
  return (await engine.allocate(command)).allocations;
}

async function one(engine: NonceEngine, submitter: Submitter, wish: Wish = {}) {
  const [allocation] = await grant(engine, submitter, wish);
  if (allocation === undefined) throw new Error('a grant without an allocation');
  return allocation;
}

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => 'granted',
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  );

/** The fast store is another uninterrupted primary afterwards, with or without what it held. */
async function loseRedis(submitter: Submitter): Promise<void> {
  await server.kill();
  await server.restart();
  await waitFor(() => fixture.fast.store.incarnationOf(submitter).then(Boolean, () => false), {
    describe: 'the restarted Redis',
  });
}

async function rowOf(submitter: Submitter, nonce: number): Promise<Allocation | undefined> {
  const rows = await fixture.submitters.nonces({ submitter, limit: 10_000 });
  return rows.find((row) => (row.nonce as number) === nonce);
}

function release(engine: NonceEngine, allocation: Allocation) {
  return engine.markRecyclable(allocation, { reason: 'never sent' });
}

describe.each(INTENT_POLICIES)('under %s intents', (intents) => {
  const window = intents === 'strict' ? 64 : 32;

  it('H-1: the window limits fresh nonces only: the released lowest one is granted again', async () => {
    const engine = node({ intents });
    const submitter = followed();
    await fixture.store.open(
      baselineOf(submitter, { startNonce: 5 as Nonce, chainLatestCount: 5 }),
    );
    const held = await grant(engine, submitter, { count: window });
    expect(held.map(({ nonce }) => nonce)).toEqual(Array.from({ length: window }, (_, i) => 5 + i));
    expect(await codeOf(one(engine, submitter))).toBe('NONCE_IN_FLIGHT_LIMIT');
    await release(engine, held[0] as Allocation);
    expect((await one(engine, submitter)).nonce).toBe(5);
    expect(await codeOf(one(engine, submitter))).toBe('NONCE_IN_FLIGHT_LIMIT');
  });

  it('H-4: an operation of three nonces replays the same three, also after Redis was lost', async () => {
    const engine = node({ intents });
    const submitter = plain();
    const wish = { count: 3, operationId: 'batch' };
    const first = await grant(engine, submitter, wish);
    await loseRedis(submitter);
    const again = await engine.allocate({
      submitter,
      ttlMs: 60_000,
      exposure: 'declared',
      ...wish,
    });
    expect(again.replayed).toBe(true);
    expect(again.allocations.map(({ id }) => id)).toEqual(first.map(({ id }) => id));
  });

  it('H-20: block requests use recyclable nonces and leave no gap', async () => {
    const engine = node({ intents });
    const submitter = plain();
    const held = await grant(engine, submitter, { count: 20 });
    for (const index of [3, 7, 11]) await release(engine, held[index] as Allocation);
    const wish = { submitter, count: 8, ttlMs: 60_000, exposure: 'declared' } as const;
    const block = await engine.allocate(wish);
    expect(block.allocations.map(({ nonce }) => nonce)).toEqual([3, 7, 11, 20, 21, 22, 23, 24]);
    expect(block.contiguous).toBe(false);
    expect(await engine.allocate(wish)).toMatchObject({ contiguous: true });
  });

  it('H-2: a late intent for a grant whose operation was bound again is refused, those with it commit', async () => {
    const engine = node({ intents });
    const submitter = plain();
    const held = await grant(engine, submitter, { count: 5 });
    const epochs = fixture.epochs;
    const incarnation = await fixture.fast.store.incarnationOf(submitter);
    const view = { submitter, epoch: (held[0] as Allocation).epoch, incarnation };
    // The node that was granted this one dies before it records the operation.
    const [id] = tokens(1) as [string];
    const row = { ids: [id], operationId: 'A', requestHash: null, metadata: null };
    const [answer] = await fixture.fast.store.allocate([
      { view, ...row, ttlMs: 60_000, exposure: 'declared' },
    ]);
    expect(answer).toMatchObject({ kind: 'granted', grants: [{ nonce: 5 }] });
    const late = { id, submitter, nonce: 5 as Nonce, epoch: view.epoch };
    await release(engine, held[3] as Allocation);
    await fixture.flush(submitter);
    await epochs.close(view, intents === 'strict' ? null : 6, 'test');
    const again = await one(node({ intents }), submitter, { operationId: 'A' });
    expect(again.nonce).toBe(3);
    const [refused, ...others] = await Promise.all([
      codeOf(engine.intent(late, { txHash: hashOf(5) })),
      ...[0, 1, 2, 4].map((index) =>
        codeOf(engine.intent(held[index] as Allocation, { txHash: hashOf(index) })),
      ),
    ]);
    expect(refused).toBe('NONCE_FENCED');
    expect(others).toEqual(['granted', 'granted', 'granted', 'granted']);
  });

  it('H-16: a first replica costs each touched submitter one new epoch and nothing else', async () => {
    const lone = await RedisServer.start();
    const own = await openFastFixture({ redis: await redisOfItsOwn(lone.url) });
    opened.push(own, { close: () => lone.stop() });
    const engine = own.node({ intents, maxInFlight: 0 });
    const submitters = Array.from({ length: 5 }, plain);
    for (const submitter of submitters) await grant(engine, submitter, { count: 2 });
    engines.push(engine);
    const pair = await RedisReplicaPair.attach(lone);
    opened.push({ close: () => pair.second.stop() });
    const epochsOf = () =>
      Promise.all(
        submitters.map(async (each) => (await own.submitters.view(each, 64))?.epoch as number),
      );
    const before = await epochsOf();
    const touched = submitters.slice(0, 4);
    await Promise.all(
      touched.flatMap((each) => Array.from({ length: 8 }, () => one(engine, each))),
    );
    const after = await epochsOf();
    expect(after.map((epoch, i) => epoch - (before[i] ?? 0))).toEqual([1, 1, 1, 1, 0]);
    if (intents === 'strict') {
      const { rows } = await own.database.pool.query<{ count: string }>(
        `SELECT count(*) FROM submitter_nonce_allocation WHERE stage = 'QUARANTINED'`,
      );
      expect(rows[0]?.count).toBe('0');
    }
  });
});

describe('under strict intents', () => {
  it.each(['declared', 'inferred'] as const)(
    'H-11: who pops a nonce that a late owner adopted is fenced, forgets it and gets another (%s)',
    async (exposure) => {
      const [h1, h2] = [node(), node()];
      const submitter = plain();
      const held = await grant(h1, submitter, { count: 6 });
      const late = held[5] as Allocation;
      const others = held.slice(0, 5);
      for (const each of others) await h1.intent(each, { txHash: hashOf(each.nonce) });
      const incarnation = await fixture.fast.store.incarnationOf(submitter);
      await fixture.epochs.close({ submitter, epoch: late.epoch, incarnation }, null, 'test');
      // The new epoch begins, and 5 is in its free set.
      const [first] = await grant(h2, submitter, { count: 1 });
      expect(first?.nonce).toBe(5);
      await release(h2, first as Allocation);
      await expect(
        fixture.store.command(
          [
            {
              command: 'intent',
              id: (first as Allocation).id,
              submitter,
              nonce: 5 as Nonce,
              txHash: hashOf(50),
              rawTx: null,
              note: null,
              ttlMs: 60_000,
              followable: false,
            },
          ],
          fixture.world.quarantine,
        ),
      ).resolves.toMatchObject([{ kind: 'done', allocation: { stage: 'INTENT' } }]);
      const popped = await one(h2, submitter, { exposure });
      if (exposure === 'declared') {
        expect(popped.nonce).toBe(5);
        expect(await codeOf(h2.intent(popped, { txHash: hashOf(51) }))).toBe('NONCE_FENCED');
      } else {
        expect(popped.nonce).toBe(6);
      }
      const next = await one(h2, submitter, { exposure });
      expect(next.nonce).toBe(exposure === 'declared' ? 6 : 7);
      expect(await rowOf(submitter, 5)).toMatchObject({ stage: 'INTENT', hashes: [hashOf(50)] });
    },
  );

  it('H-23: a nonce that a plain handler may have sent is known when Redis dies, and never clean', async () => {
    const engine = node();
    const submitter = plain();
    const sent = await one(engine, submitter, { exposure: 'inferred', ttlMs: 1_000 });
    await loseRedis(submitter);
    expect((await one(engine, submitter)).nonce).toBe(1);
    expect(await rowOf(submitter, 0)).toMatchObject({ id: sent.id, stage: 'GRANTED' });
    const tracking = new PostgresTrackingStore(fixture.runner);
    const { quarantine } = fixture.world;
    await waitFor(
      () => tracking.reclaimExpired({ limit: 10, quarantine }).then((rows) => rows[0]),
      {
        describe: 'the deadline of the plain handler',
      },
    );
    expect(await rowOf(submitter, 0)).toMatchObject({ id: sent.id, stage: 'QUARANTINED' });
  });
});

describe('under relaxed intents', () => {
  it('H-5: a nonce that Redis granted again unheard of is quarantined when Redis is lost', async () => {
    const engine = node({ intents: 'relaxed' });
    const submitter = plain();
    const held = await grant(engine, submitter, { count: 6 });
    await release(engine, held[5] as Allocation);
    await fixture.flush(submitter);
    expect(await rowOf(submitter, 5)).toMatchObject({ stage: 'REUSABLE' });
    // Granted again and sent, and nobody but Redis knows.
    expect((await one(engine, submitter)).nonce).toBe(5);
    await loseRedis(submitter);
    const next = await one(engine, submitter);
    expect(next.nonce).toBeGreaterThan(5);
    expect(next.source).toBe('fresh');
    expect(await rowOf(submitter, 5)).toMatchObject({ stage: 'QUARANTINED' });
  });

  it('H-12: after a loss service goes on: the ceiling stayed within half of the window, and what is tainted comes back as a replacement', async () => {
    const short = { ms: 300, release: 'replacement' } as const;
    const own = await openFastFixture({
      redis: await redisOfItsOwn(server.url),
      world: { ...fixture.world, quarantine: short },
    });
    opened.push(own);
    const engine = own.node({ intents: 'relaxed' });
    engines.push(engine);
    const submitter = followed();
    await grant(engine, submitter, { count: 10 });
    const { ceiling } = (await own.submitters.view(submitter, 64)) ?? {};
    expect(ceiling).toBeLessThanOrEqual(32);
    await server.kill();
    await server.restart();
    const next = await waitFor(() => one(engine, submitter).catch(() => false as const), {
      describe: 'service after the loss',
      everyMs: 50,
    });
    expect([next.nonce, next.source]).toEqual([0, 'replacement']);
  });
});
