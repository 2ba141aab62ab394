import { RedisServer } from '../../../../tools/src/stack/index';
import type { Allocation } from '../../src/domain/allocation';
import type { Submitter } from '../../src/domain/submitter';
import type { MirrorDivergence } from '../../src/ports/mirror.port';
import { hashOf, newSubmitter } from '../support/store-fixture';
import { openTestRedis, type TestRedis } from '../support/test-redis';
import {
  countingMetrics,
  openMirrorBench,
  type MirrorBench,
  type MirrorNode,
} from './mirror-bench';

let redis: TestRedis;
let bench: MirrorBench;
let node: MirrorNode;
beforeAll(async () => {
  redis = await openTestRedis();
});
afterAll(() => redis.close());
// The comparison sees all submitters: each test has an installation of its own.
let installation = 0;
beforeEach(async () => {
  installation += 1;
  bench = await openMirrorBench({ url: redis.url, prefix: `${redis.prefix}-${installation}` });
  node = bench.node();
});
afterEach(() => bench.close());

const command = (submitter: Submitter, count = 1) => ({
  ...{ submitter, count, ttlMs: 60_000 },
  exposure: 'declared' as const,
});

async function granted(submitter: Submitter, count: number): Promise<readonly Allocation[]> {
  const { allocations } = await node.engine.allocate(command(submitter, count));
  await node.buffer.idle();
  return allocations;
}

async function divergences(): Promise<readonly Omit<MirrorDivergence, 'foundAtMs'>[]> {
  const standing = await bench.mirror.standing();
  return (standing?.divergences ?? []).map(({ submitter, kind, nonce }) => ({
    ...{ submitter, kind, nonce },
  }));
}

async function expectInStep(submitter: Submitter): Promise<void> {
  expect(await bench.openInMirror(submitter)).toEqual(await bench.openInPostgres(submitter));
  const { next } = await bench.copyOf(submitter);
  const truth = (await bench.truth.read([submitter], 1)).get(submitter);
  expect(next?.value).toEqual(truth?.next);
}

const keyOf = (submitter: Submitter): string => bench.keys.mirror(submitter);

describe('the mirror of the dual-write engine', () => {
  it('holds owner, stage and order of what was granted and said, and the next nonce', async () => {
    const submitter = newSubmitter();
    const [first, second, third] = await granted(submitter, 3);
    await node.engine.intent({ id: first!.id }, { txHash: hashOf(1) });
    await node.engine.markRecyclable({ id: second!.id }, { reason: 'no funds' });
    await node.buffer.idle();
    const mirrored = await bench.openInMirror(submitter);
    expect(mirrored.map(({ nonce, stage, owner }) => [nonce, stage, owner])).toEqual([
      [0, 'INTENT', first!.id],
      [1, 'REUSABLE', second!.id],
      [2, 'GRANTED', third!.id],
    ]);
    await expectInStep(submitter);
  });

  it('is not told what joins a transaction of the caller, which may roll back', async () => {
    const submitter = newSubmitter();
    const [held] = await granted(submitter, 1);
    const runner = bench.source.createQueryRunner();
    await runner.startTransaction();
    await node.engine.markUsed(
      { id: held!.id },
      {},
      { query: (text, values = []) => runner.query(text, [...values]) as Promise<unknown> },
    );
    await node.buffer.idle();
    await runner.rollbackTransaction();
    await runner.release();
    expect(await bench.openInMirror(submitter)).toMatchObject([{ stage: 'GRANTED' }]);
    await expectInStep(submitter);
  });

  it('expires by itself when nobody mirrors or compares any more', async () => {
    const submitter = newSubmitter();
    await granted(submitter, 1);
    const ttlMs = await redis.client.pttl(keyOf(submitter));
    expect(ttlMs).toBeGreaterThan(0);
    expect(ttlMs).toBeLessThanOrEqual(900_000);
  });
});

describe('the comparison of mirror and Postgres', () => {
  it('finds a mirror in step that its nodes have told everything', async () => {
    const submitter = newSubmitter();
    await granted(submitter, 3);
    const comparator = bench.comparator();
    await comparator.tick();
    expect(await bench.mirror.standing()).toMatchObject({
      ...{ inStep: true, compared: 1, differences: 0, divergences: [], modeEpoch: 1 },
    });
  });

  it('fills the mirror of submitters that were never mirrored, and calls that no divergence', async () => {
    const submitters = [newSubmitter(), newSubmitter(), newSubmitter()];
    for (const submitter of submitters) await granted(submitter, 4);
    for (const submitter of submitters) await redis.client.del(keyOf(submitter));
    const comparator = bench.comparator({ pageSize: 2 });
    await comparator.tick();
    expect(await bench.mirror.standing()).toMatchObject({ inStep: false, divergences: [] });
    for (const submitter of submitters) await expectInStep(submitter);
    await comparator.tick();
    expect(await bench.mirror.standing()).toMatchObject({ inStep: true, compared: 3 });
    expect(await divergences()).toEqual([]);
  });

  it('reports and repairs what somebody did to the mirror, by kind and nonce', async () => {
    const submitter = newSubmitter();
    const rows = await granted(submitter, 4);
    const metrics = countingMetrics();
    const comparator = bench.comparator({}, { metrics });
    await comparator.tick();
    const key = keyOf(submitter);
    const text = (await redis.client.hget(key, '1'))!;
    await redis.client.hdel(key, '0');
    await redis.client.hset(key, '1', text.replace(rows[1]!.id, rows[0]!.id));
    await redis.client.hset(
      key,
      '2',
      (await redis.client.hget(key, '2'))!.replace('GRANTED', 'INTENT'),
    );
    await redis.client.hset(key, { '77': text, '@next': '1:99' });
    await comparator.tick();
    expect(await bench.mirror.standing()).toMatchObject({ inStep: false, divergences: [] });
    await comparator.tick();
    const found = await divergences();
    expect(found).toHaveLength(5);
    expect(found).toEqual(
      expect.arrayContaining([
        { submitter, kind: 'missing', nonce: 0 },
        { submitter, kind: 'other-owner', nonce: 1 },
        { submitter, kind: 'other-stage', nonce: 2 },
        { submitter, kind: 'extra', nonce: 77 },
        { submitter, kind: 'next', nonce: null },
      ]),
    );
    for (const { kind } of found) {
      expect(metrics.of('nonce_mirror_divergence_total', kind)).toBe(1);
      expect(metrics.of('nonce_anomalies_total', `mirror-${kind}`)).toBe(1);
    }
    await expectInStep(submitter);
    await comparator.tick();
    expect(await bench.mirror.standing()).toMatchObject({ inStep: true });
    expect(await divergences()).toEqual(found);
  });

  it('reports a deleted copy as missing, once, and writes it anew', async () => {
    const submitter = newSubmitter();
    await granted(submitter, 2);
    const comparator = bench.comparator();
    await comparator.tick();
    await redis.client.del(keyOf(submitter));
    for (let look = 0; look < 4; look += 1) await comparator.tick();
    expect(await divergences()).toEqual(
      expect.arrayContaining([
        { submitter, kind: 'missing', nonce: 0 },
        { submitter, kind: 'missing', nonce: 1 },
        { submitter, kind: 'next', nonce: null },
      ]),
    );
    expect(await divergences()).toHaveLength(3);
    await expectInStep(submitter);
  });

  it('puts keys of another type and unreadable fields right', async () => {
    const [a, b] = [newSubmitter(), newSubmitter()];
    await granted(a, 2);
    await granted(b, 2);
    const comparator = bench.comparator();
    await comparator.tick();
    await redis.client.del(keyOf(a));
    await redis.client.set(keyOf(a), 'garbage');
    await redis.client.hset(keyOf(b), { '0': 'garbage', nonsense: 'x', '@next': 'soon' });
    for (let look = 0; look < 3; look += 1) await comparator.tick();
    await expectInStep(a);
    await expectInStep(b);
    expect(await redis.client.hexists(keyOf(b), 'nonsense')).toBe(0);
    expect(await bench.mirror.standing()).toMatchObject({ inStep: true });
  });

  it('brings what sweeps and trackers did, which no node tells, and calls it no divergence', async () => {
    const submitter = newSubmitter();
    const [first, second, third] = await granted(submitter, 3);
    const comparator = bench.comparator({ lateCommitMs: 1_000 });
    await comparator.tick();
    const move = `UPDATE submitter_nonce_allocation SET stage = $2, deadline = NULL,
      updated_at = clock_timestamp() WHERE id = $1`;
    await bench.database.pool.query(move, [first!.id, 'CONSUMED_EXTERNAL']);
    await bench.database.pool.query(move, [second!.id, 'QUARANTINED']);
    await bench.database.pool.query(move, [third!.id, 'REUSABLE']);
    await comparator.tick();
    await expectInStep(submitter);
    for (let look = 0; look < 3; look += 1) await comparator.tick();
    expect(await divergences()).toEqual([]);
    expect(await bench.mirror.standing()).toMatchObject({ inStep: true });
  });

  it('lets settled nonces leave below the lowest open one, and refuses older facts about them', async () => {
    const submitter = newSubmitter();
    const [first, , third] = await granted(submitter, 3);
    const late = await bench.openInPostgres(submitter);
    await node.engine.markUsed({ id: first!.id }, {});
    await node.engine.markUsed({ id: third!.id }, {});
    await node.buffer.idle();
    const comparator = bench.comparator();
    await comparator.tick();
    const { nonces } = await bench.copyOf(submitter);
    expect([...nonces.keys()].sort()).toEqual(['1', '2']);
    await bench.mirror.write([{ submitter, next: null, nonces: late }]);
    expect([...(await bench.copyOf(submitter)).nonces.keys()].sort()).toEqual(['1', '2']);
    await expectInStep(submitter);
  });

  it('is done by one process at a time, and by another one when that falls silent', async () => {
    await granted(newSubmitter(), 1);
    const first = bench.comparator({ leadMs: 500 }, {}, 'first');
    const second = bench.comparator({}, {}, 'second');
    const looks = countLooks();
    const watching = bench.comparator({}, { truth: looks.truth }, 'second');
    await first.tick();
    await watching.tick();
    expect(looks.count()).toBe(0);
    await first.end();
    await watching.tick();
    expect(looks.count()).toBe(1);
    await second.tick();
    expect(await bench.mirror.standing()).toMatchObject({ inStep: true });
  });

  it('vouches for nothing of a mode that was left and entered again, until all are compared anew', async () => {
    for (let i = 0; i < 3; i += 1) await granted(newSubmitter(), 1);
    let epoch = 4;
    const scope = { active: () => true, epoch: () => epoch, covers: () => true };
    const comparator = bench.comparator({ pageSize: 1, maxPages: 2 }, { scope });
    await comparator.tick();
    await comparator.tick();
    expect(await bench.mirror.standing()).toMatchObject({ inStep: true, modeEpoch: 4 });
    epoch = 6;
    await comparator.tick();
    expect(await bench.mirror.standing()).toMatchObject({ inStep: false, modeEpoch: 6 });
    await comparator.tick();
    expect(await bench.mirror.standing()).toMatchObject({ inStep: true, modeEpoch: 6 });
  });

  it('compares nonces that the mirror holds also where there are more than are read', async () => {
    const submitter = newSubmitter();
    await granted(submitter, 6);
    const comparator = bench.comparator({ maxOpen: 2 });
    for (let look = 0; look < 3; look += 1) await comparator.tick();
    expect(await bench.mirror.standing()).toMatchObject({ inStep: true, divergences: [] });
    const key = keyOf(submitter);
    const text = (await redis.client.hget(key, '5'))!;
    await redis.client.hset(key, '5', text.replace('GRANTED', 'INTENT'));
    for (let look = 0; look < 2; look += 1) await comparator.tick();
    expect(await divergences()).toEqual([{ submitter, kind: 'other-stage', nonce: 5 }]);
    await expectInStep(submitter);
  });

  it('leaves alone what the mirror was told after it was looked at', async () => {
    const submitter = newSubmitter();
    const [held] = await granted(submitter, 1);
    const before = await redis.client.hget(keyOf(submitter), '0');
    await node.engine.intent({ id: held!.id }, { txHash: hashOf(7) });
    await node.buffer.idle();
    const corrections = [{ field: '0', found: before, put: null }];
    await bench.mirror.repair([{ submitter, corrections, settled: null }]);
    await expectInStep(submitter);
  });

  it('is left out for submitters whom the mode does not mirror', async () => {
    const [mirrored, other] = [newSubmitter(), newSubmitter()];
    for (const submitter of [mirrored, other]) {
      await granted(submitter, 1);
      await redis.client.del(keyOf(submitter));
    }
    const covers = (submitter: Submitter): boolean => submitter === mirrored;
    const scope = { active: () => true, epoch: () => 1, covers };
    await bench.comparator({}, { scope }).tick();
    expect(await bench.openInMirror(mirrored)).toHaveLength(1);
    expect(await redis.client.exists(keyOf(other))).toBe(0);
  });

  it('compares nobody, and vouches for nothing, while the mode mirrors nobody', async () => {
    await granted(newSubmitter(), 1);
    const comparator = bench.comparator(
      {},
      { scope: { active: () => false, epoch: () => 1, covers: () => false } },
    );
    await comparator.tick();
    expect(await bench.mirror.standing()).toBeNull();
  });
});

describe('what stands in Redis', () => {
  it('never changes an answer: not when it is tampered with, and not when all of it is gone', async () => {
    const server = await RedisServer.start();
    const own = await openMirrorBench({ url: server.url, prefix: 'nonce' });
    try {
      const { engine, buffer } = own.node();
      const submitter = newSubmitter();
      const key = own.keys.mirror(submitter);
      const allocate = async () => (await engine.allocate(command(submitter))).allocations[0]!;
      const first = await allocate();
      await buffer.idle();
      await own.client.hset(key, { '@next': '9:500', '0': '9:9:REUSABLE:nobody', '1': 'x' });
      const second = await allocate();
      await own.client.call('FLUSHALL');
      await own.client.set(key, 'garbage');
      const third = await allocate();
      await own.client.call('FLUSHALL');
      await engine.markRecyclable({ id: first.id }, { reason: 'not needed' });
      const again = await allocate();
      await server.kill();
      const last = await allocate();
      const nonces = [first, second, third, again, last].map(({ nonce }) => nonce);
      expect(nonces).toEqual([0, 1, 2, 0, 3]);
    } finally {
      await own.close();
      await server.stop();
    }
  });

  it('is put together again after a FLUSHALL, which is reported', async () => {
    const server = await RedisServer.start();
    const own = await openMirrorBench({ url: server.url, prefix: 'nonce' });
    try {
      const { engine, buffer } = own.node();
      const submitter = newSubmitter();
      await engine.allocate(command(submitter, 2));
      await buffer.idle();
      const comparator = own.comparator();
      await comparator.tick();
      await own.client.call('FLUSHALL');
      await comparator.tick();
      await comparator.tick();
      expect((await own.mirror.standing())?.divergences).toHaveLength(3);
      expect(await own.openInMirror(submitter)).toEqual(await own.openInPostgres(submitter));
      await server.kill();
      await expect(comparator.tick()).rejects.toMatchObject({ code: 'NONCE_STORE_UNAVAILABLE' });
      await expect(own.mirror.standing()).rejects.toMatchObject({
        code: 'NONCE_STORE_UNAVAILABLE',
      });
    } finally {
      await own.close();
      await server.stop();
    }
  });
});

function countLooks(): { truth: MirrorBench['truth']; count(): number } {
  let count = 0;
  const openSubmitters: MirrorBench['truth']['openSubmitters'] = (...page) => {
    count += 1;
    return bench.truth.openSubmitters(...page);
  };
  const truth = Object.assign(Object.create(bench.truth) as MirrorBench['truth'], {
    openSubmitters,
  });
  return { truth, count: () => count };
}
