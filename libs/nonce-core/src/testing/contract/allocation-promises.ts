import assert from 'node:assert/strict';
import type { Allocation } from '../../domain/allocation';
import { assertSameFacts, noncesOf, range, refusal, type ContractBench } from './contract-bench';
import type { ContractPromise } from './promise';

/** Which nonce a caller gets, whoever else asks at the same time. */
export const ALLOCATION_PROMISES: readonly ContractPromise[] = [
  {
    sentence: 'L2: grants start at the first nonce and go up without a hole',
    async keep(bench) {
      const submitter = bench.submitter();
      const nonces: number[] = [];
      for (let i = 0; i < 5; i += 1) nonces.push((await bench.one(submitter)).nonce);
      assert.deepEqual(nonces, range(0, 5));
    },
  },
  {
    sentence: 'a grant names its holder, its source and its deadline',
    async keep(bench) {
      const before = await bench.one(bench.submitter(), { ttlMs: 5_000, exposure: 'inferred' });
      assert.equal(before.stage, 'GRANTED');
      assert.equal(before.status, 'RESERVED');
      assert.equal(before.source, 'fresh');
      assert.equal(before.exposure, 'inferred');
      assert.equal(before.deadline?.getTime(), before.createdAt.getTime() + 5_000);
      const row = await bench.row(before);
      assertSameFacts(row, before);
    },
  },
  {
    sentence: 'I-28, S1: many callers at once get distinct nonces without a hole',
    keep: (bench) => manyCallers(bench, [bench.engine]),
  },
  {
    sentence: 'I-28, S1: many callers of several nodes get distinct nonces without a hole',
    needs: ['several-nodes'],
    keep: async (bench) =>
      manyCallers(bench, [bench.engine, bench.secondNode, await bench.subject.secondNode()]),
  },
  {
    sentence: 'S1: a nonce given back is granted to exactly one of many callers of several nodes',
    needs: ['several-nodes'],
    async keep(bench) {
      const held = await bench.granted(20);
      const { submitter } = held[0] as Allocation;
      await Promise.all(held.slice(0, 10).map((allocation) => bench.release(allocation)));
      const nodes = [bench.engine, bench.secondNode];
      const again = await Promise.all(
        range(0, 15).map((i) => bench.one(submitter, {}, nodes[i % 2])),
      );
      const nonces = again.map(({ nonce }) => nonce as number).sort((a, b) => a - b);
      assert.deepEqual(nonces, [...range(0, 10), ...range(20, 5)]);
      assert.equal(again.filter(({ source }) => source === 'recycled').length, 10);
    },
  },
  {
    sentence: 'L2, I-39: the lowest reusable nonce goes first, in numeric order: 9 < 10 < 100',
    async keep(bench) {
      const held = await bench.granted(101);
      const { submitter } = held[0] as Allocation;
      for (const nonce of [100, 9, 10]) await bench.release(held[nonce] as Allocation);
      const next: number[] = [];
      for (let i = 0; i < 4; i += 1) next.push((await bench.one(submitter)).nonce);
      assert.deepEqual(next, [9, 10, 100, 101]);
    },
  },
  {
    sentence: 'H-1: the window limits fresh nonces only, a reusable one is always granted',
    async keep(bench) {
      const submitter = bench.followedSubmitter();
      const held = (await bench.allocate(submitter, { count: 64 })).allocations;
      await refusal(bench.allocate(submitter), 'NONCE_IN_FLIGHT_LIMIT');
      await bench.release(held[0] as Allocation);
      assert.deepEqual(await bench.nonces(submitter), [0]);
      await refusal(bench.allocate(submitter), 'NONCE_IN_FLIGHT_LIMIT');
    },
  },
  {
    sentence: 'L3: the window moves with the count of the chain, not with the reports of holders',
    async keep(bench) {
      const submitter = bench.followedSubmitter();
      const held = (await bench.allocate(submitter, { count: 64 })).allocations;
      const txHash = `0x${'ab'.repeat(32)}` as const;
      await bench.engine.markUsed(held[0] as Allocation, { txHash });
      await refusal(bench.allocate(submitter), 'NONCE_IN_FLIGHT_LIMIT');
      await bench.subject.chainCount(submitter, 2);
      assert.deepEqual(await bench.nonces(submitter, { count: 2 }), [64, 65]);
      await refusal(bench.allocate(submitter), 'NONCE_IN_FLIGHT_LIMIT');
    },
  },
  {
    sentence: 'L3: without a configured chain the window counts what is reserved',
    async keep(bench) {
      const submitter = bench.submitter();
      const held = (await bench.allocate(submitter, { count: 64 })).allocations;
      await refusal(bench.allocate(submitter), 'NONCE_IN_FLIGHT_LIMIT');
      await bench.engine.markUsed(held[5] as Allocation, {});
      assert.deepEqual(await bench.nonces(submitter), [64]);
      await refusal(bench.allocate(submitter), 'NONCE_IN_FLIGHT_LIMIT');
    },
  },
  {
    sentence: 'S7: nothing below the known count of the chain is granted',
    async keep(bench) {
      const submitter = bench.followedSubmitter();
      const held = (await bench.allocate(submitter, { count: 4 })).allocations;
      for (const allocation of held.slice(0, 3)) await bench.release(allocation);
      await bench.subject.chainCount(submitter, 2);
      assert.deepEqual(await bench.nonces(submitter, { count: 2 }), [2, 4]);
    },
  },
  {
    sentence: 'a paused submitter grants nothing, and what is held can still be settled',
    needs: ['pause'],
    async keep(bench) {
      const submitter = bench.submitter();
      const held = await bench.one(submitter, { operationId: 'before' });
      await bench.subject.setPaused(submitter, true);
      await refusal(bench.allocate(submitter), 'NONCE_PAUSED');
      const replay = await bench.allocate(submitter, { operationId: 'before' });
      assert.deepEqual([replay.replayed, noncesOf(replay)], [true, [0]]);
      await bench.release(held);
      await refusal(bench.allocate(submitter), 'NONCE_PAUSED');
      await bench.subject.setPaused(submitter, false);
      assert.deepEqual(await bench.nonces(submitter), [0]);
    },
  },
  {
    sentence: 'a submitter never used is unknown, and asking does not create it',
    async keep(bench) {
      const submitter = bench.submitter();
      await refusal(bench.engine.inspect(submitter), 'NONCE_SUBMITTER_UNKNOWN');
      await refusal(bench.engine.inspect(submitter), 'NONCE_SUBMITTER_UNKNOWN');
    },
  },
];

async function manyCallers(
  bench: ContractBench,
  nodes: readonly ContractBench['engine'][],
): Promise<void> {
  const submitters = [bench.submitter(), bench.submitter(), bench.submitter()];
  for (const submitter of submitters) {
    await bench.one(submitter);
    await bench.subject.setWindow(submitter, 0);
  }
  const seen = new Map(submitters.map((submitter) => [submitter, new Set([0])]));
  const caller = async (index: number): Promise<void> => {
    for (let round = 0; round < 4; round += 1) {
      const submitter = submitters[(index + round) % submitters.length] as (typeof submitters)[0];
      const { nonce } = await bench.one(submitter, {}, nodes[index % nodes.length]);
      assert.ok(!seen.get(submitter)?.has(nonce), `nonce ${nonce} was granted twice`);
      seen.get(submitter)?.add(nonce);
    }
  };
  await Promise.all(range(0, 60).map(caller));
  for (const nonces of seen.values()) {
    assert.deepEqual(
      [...nonces].sort((a, b) => a - b),
      range(0, nonces.size),
    );
  }
  assert.equal(
    [...seen.values()].reduce((sum, each) => sum + each.size, 0),
    3 + 60 * 4,
  );
}
