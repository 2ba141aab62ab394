import { RedisReplicaPair } from '../../../../tools/src/stack/index';
import type { Allocation, Exposure } from '../../src/domain/allocation';
import type { Submitter } from '../../src/domain/submitter';
import { NonceError } from '../../src/domain/errors/nonce-error';
import type { PerformanceEngine } from '../../src/engines/performance/performance-engine';
import { INTENT_POLICIES, type IntentPolicy } from '../../src/ports/fast-epoch-store.port';
import type { FastStore } from '../../src/ports/fast-store.port';
import { contractWorld } from '../../src/testing';
import { PLAIN_CHAIN_ID } from '../../src/testing/contract/contract-world';
import { openFastFixture, redisOfItsOwn, type FastFixture } from '../support/fast-fixture';
import { hashOf, newSubmitter } from '../support/store-fixture';
import { rejection } from './host-bench';

const TTL_MS = 60_000;
/** Longer than a test: nothing is released by time unless a test says so. */
const NEVER_MS = 600_000;

let pair: RedisReplicaPair;
let fixture: FastFixture;
const engines: PerformanceEngine[] = [];

beforeAll(async () => {
  pair = await RedisReplicaPair.start();
  fixture = await openFastFixture({
    redis: await redisOfItsOwn(pair.first.url),
    world: { ...contractWorld(), quarantine: { ms: NEVER_MS, release: 'replacement' } },
    engine: { maxInFlight: 0 },
  });
});
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.stop(5_000)));
});
afterAll(async () => {
  await fixture.close();
  await pair.stop();
});

function node(intents: IntentPolicy): PerformanceEngine {
  const engine = fixture.node({ intents });
  engines.push(engine);
  return engine;
}

async function take(
  engine: PerformanceEngine,
  submitter: Submitter,
  exposure: Exposure = 'declared',
): Promise<Allocation> {
  const { allocations } = await engine.allocate({ submitter, count: 1, ttlMs: TTL_MS, exposure });
  const [allocation] = allocations;
  if (allocation === undefined) throw new Error('a grant without an allocation');
  return allocation;
}

async function takeMany(
  engine: PerformanceEngine,
  submitter: Submitter,
  { count, exposure }: { readonly count: number; readonly exposure: Exposure },
): Promise<readonly Allocation[]> {
  const taken: Allocation[] = [];
  for (let i = 0; i < count; i += 1) taken.push(await take(engine, submitter, exposure));
  return taken;
}

const codeOf = (error: unknown): string => (error as { readonly code: string }).code;

const newAddress = (): Submitter => newSubmitter(PLAIN_CHAIN_ID);
const noncesOf = (allocations: readonly Allocation[]) => allocations.map(({ nonce }) => nonce);

/** Everything it held is gone, and it is the same server still. */
const flushAll = () => fixture.redis.client.flushall();

describe.each(INTENT_POLICIES)('I-32: Redis goes back in time, %s intents', (intents) => {
  // FAST: alloc 81..91 (some SENT); redis.failover(lose=…); alloc=82
  it.each([0, 1, 5, 11])(
    'S8, S9: what went out before the loss of the last %d grants is not issued clean again',
    async (lost) => {
      const engine = node(intents);
      const submitter = newAddress();
      const before = [
        ...(await takeMany(engine, submitter, { count: 11 - lost, exposure: 'assumed' })),
      ];
      await pair.lagReplica();
      before.push(...(await takeMany(engine, submitter, { count: lost, exposure: 'assumed' })));
      await pair.promote();
      await pair.failBack();
      const after = await takeMany(engine, submitter, { count: 20, exposure: 'assumed' });
      expect(noncesOf(after).filter((nonce) => noncesOf(before).includes(nonce))).toEqual([]);
      expect(Math.min(...noncesOf(after))).toBeGreaterThan(10);
      expect(after.every(({ epoch }) => epoch > (before[0]?.epoch ?? Infinity))).toBe(true);
    },
  );

  it('S3, S8: an intent written before everything was lost keeps its nonce', async () => {
    const engine = node(intents);
    const submitter = newAddress();
    const held = await take(engine, submitter);
    await engine.intent(held, { txHash: hashOf(1) });
    await flushAll();
    const after = await takeMany(engine, submitter, { count: 5, exposure: 'declared' });
    expect(noncesOf(after)).not.toContain(held.nonce);
  });

  it('S9: a node that never heard of the loss is refused by the new epoch', async () => {
    const [knowing, stale] = [node(intents), node(intents)];
    const submitter = newAddress();
    const first = await take(stale, submitter, 'assumed');
    await flushAll();
    const second = await take(knowing, submitter, 'assumed');
    const third = await take(stale, submitter, 'assumed');
    expect([second.epoch > first.epoch, third.epoch]).toEqual([true, second.epoch]);
    expect(new Set(noncesOf([first, second, third])).size).toBe(3);
  });
});

describe('I-32: a holder that comes late to a nonce which Redis had handed on', () => {
  // relaxed: 0 expires, is handed on, is sent by its next holder; Redis is lost before that is known
  it('S1, S2: is refused, because the next holder may have sent and nobody can tell', async () => {
    const engine = node('relaxed');
    const submitter = newAddress();
    const late = await take(engine, submitter, 'declared');
    await fixture.expireInRedis(late);
    await engine.reclaimExpired(100);
    await fixture.flush(submitter);
    await engine.loadFree(100);
    const next = await take(engine, submitter, 'assumed');
    expect(next.nonce).toBe(late.nonce);
    await flushAll();
    await take(engine, submitter, 'declared');
    const refused = await rejection(engine.intent(late, { txHash: hashOf(2) }));
    expect(refused).toMatchObject({ code: 'NONCE_FENCED' });
  });

  it('S1, S2: is refused by any node, also by one that Redis does not answer', async () => {
    const [first, second] = [node('relaxed'), node('relaxed')];
    const submitter = newAddress();
    const late = await take(first, submitter, 'declared');
    await fixture.expireInRedis(late);
    await second.reclaimExpired(100);
    await first.reclaimExpired(100);
    await fixture.flush(submitter);
    await first.loadFree(100);
    expect((await take(first, submitter, 'assumed')).nonce).toBe(late.nonce);
    const refused = await rejection(second.intent(late, { txHash: hashOf(3) }));
    expect(refused).toMatchObject({ code: 'NONCE_FENCED' });
  });

  it('S1, S2: and whoever got its nonce from the next epoch cannot both write an intent', async () => {
    const engine = node('strict');
    const submitter = newAddress();
    const late = await take(engine, submitter, 'declared');
    await flushAll();
    const others = await takeMany(engine, submitter, { count: 3, exposure: 'declared' });
    const rivals = [late, ...others.filter(({ nonce }) => nonce === late.nonce)];
    const answers: string[] = [];
    for (const [index, rival] of rivals.entries()) {
      const written = engine.intent(rival, { txHash: hashOf(4 + index) });
      answers.push(await written.then(() => 'written', codeOf));
    }
    expect(rivals).toHaveLength(2);
    expect(answers.sort()).toEqual(['NONCE_FENCED', 'written']);
  });
});

describe('I-34: the reply of Redis is lost, and then its memory', () => {
  it('S11, S12: one token never stands for two nonces', async () => {
    const submitter = newAddress();
    await take(node('strict'), submitter);
    const { store } = fixture.fast;
    let lost = 0;
    const losing: FastStore = Object.create(store, {
      allocate: {
        value: async (rows: Parameters<FastStore['allocate']>[0]) => {
          const answers = await store.allocate(rows);
          if (lost > 0) return answers;
          lost += 1;
          await fixture.flush(submitter);
          await flushAll();
          return answers.map(() => new NonceError('NONCE_STORE_UNAVAILABLE'));
        },
      },
    }) as FastStore;
    const engine = fixture.node({ intents: 'strict' }, { fast: losing });
    engines.push(engine);
    const held = await take(engine, submitter, 'assumed');
    await fixture.flush(submitter);
    const rows = await fixture.submitters.nonces({ submitter, limit: 100 });
    expect(lost).toBe(1);
    expect(rows.filter(({ id }) => id === held.id).map(({ nonce }) => nonce)).toEqual([held.nonce]);
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
  });

  it('S11, S12: a grant that ran out before it was asked for again is not granted again under its token', async () => {
    const submitter = newAddress();
    const { store } = fixture.fast;
    let stale: readonly string[] = [];
    const slow: FastStore = Object.create(store, {
      allocate: {
        value: async (rows: Parameters<FastStore['allocate']>[0]) => {
          const answers = await store.allocate(rows);
          const [answer] = answers;
          if (stale.length > 0 || answer instanceof Error || answer?.kind !== 'granted') {
            return answers;
          }
          stale = answer.grants.map(({ id }) => id);
          await fixture.expireInRedis(answer.grants[0] as unknown as Allocation);
          return answers.map(() => new NonceError('NONCE_STORE_UNAVAILABLE'));
        },
      },
    }) as FastStore;
    await take(node('strict'), submitter);
    const engine = fixture.node({ intents: 'strict' }, { fast: slow });
    engines.push(engine);
    const held = await take(engine, submitter);
    expect(stale).toHaveLength(1);
    expect(stale).not.toContain(held.id);
  });
});
