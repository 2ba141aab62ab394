import assert from 'node:assert/strict';
import type { Allocation, Exposure } from '../../domain/allocation';
import { hashOf, refusal, type ContractBench } from './contract-bench';
import type { ContractPromise } from './promise';

/** What becomes of nonces whose holders are silent, and of holders who come too late. */
export const DEADLINE_PROMISES: readonly ContractPromise[] = [
  {
    sentence:
      'L6, I-14: a declared holder silent past its deadline loses the nonce, clean, to the next caller',
    async keep(bench) {
      const [late] = (await bench.granted(2)) as [Allocation];
      await bench.subject.expire(late);
      const next = await bench.one(late.submitter);
      assert.deepEqual([next.nonce, next.source], [late.nonce, 'recycled']);
      const intent = bench.engine.intent(late, { txHash: hashOf('zombie') });
      await refusal(intent, 'NONCE_FENCED');
      assert.deepEqual((await bench.row(next)).hashes, []);
    },
  },
  ...(['inferred', 'assumed'] as const).map((exposure) => ({
    sentence: `S3, H-7: a nonce of ${exposure} exposure is not handed out clean after its deadline`,
    keep: (bench: ContractBench) => keepsBackAfterDeadline(bench, exposure),
  })),
  {
    sentence: 'a late owner whose nonce nobody got yet adopts it by its intent',
    async keep(bench) {
      const [first, late] = (await bench.granted(2)) as [Allocation, Allocation];
      await bench.subject.expire(first);
      await bench.subject.expire(late);
      assert.equal((await bench.one(late.submitter)).nonce, first.nonce);
      const answer = await bench.secondNode.intent(late, { txHash: hashOf('late') });
      assert.equal(answer.allocation.stage, 'INTENT');
      assert.equal((await bench.one(late.submitter)).nonce, 2);
    },
  },
  {
    sentence: 'a holder that reports before anyone else asks keeps its nonce, however late it is',
    async keep(bench) {
      const held = (await bench.granted(3)) as [Allocation, Allocation, Allocation];
      for (const allocation of held) await bench.subject.expire(allocation);
      await bench.engine.heartbeat(held[0], { ttlMs: 60_000 });
      await bench.engine.intent(held[1], { txHash: hashOf('a') });
      await bench.engine.markUsed(held[2], {});
      assert.equal((await bench.one(held[0].submitter)).nonce, 3);
    },
  },
  {
    sentence: 'H-7: a nonce in quarantine is not granted before its time',
    async keep(bench) {
      const [held] = (await bench.granted(1, 'inferred')) as [Allocation];
      await bench.engine.quarantine(held, { reason: 'timed out' });
      assert.equal((await bench.one(held.submitter)).nonce, 1);
      const surrendered = await bench.release(held).then(() => bench.row(held));
      assert.equal(surrendered.stage, 'REUSABLE');
      assert.equal((await bench.one(held.submitter)).nonce, 0);
    },
  },
  {
    sentence:
      'S3: a nonce that may be out comes back only as a replacement, lowest first, with its hashes',
    needs: ['replacement'],
    async keep(bench) {
      const held = await bench.granted(4, 'inferred');
      const [a, b, c] = held as [Allocation, Allocation, Allocation];
      await bench.engine.intent(c, { txHash: hashOf('sent') });
      await bench.subject.moveTo(c, 'QUARANTINED');
      await bench.engine.quarantine(a, { reason: 'timed out' });
      await bench.release(b);
      for (const each of [a, c]) await bench.subject.expire(await bench.row(each));
      const { allocations } = await bench.allocate(a.submitter, { count: 4 });
      const facts = allocations.map(({ nonce, source }) => [nonce, source]);
      assert.deepEqual(facts, [
        [0, 'replacement'],
        [1, 'recycled'],
        [2, 'replacement'],
        [4, 'fresh'],
      ]);
      assert.deepEqual(allocations[2]?.hashes, [hashOf('sent')]);
      await refusal(bench.engine.intent(a, { txHash: hashOf('late') }), 'NONCE_FENCED');
    },
  },
  {
    sentence: 'S3: a replacement never becomes clean, by release or by its deadline',
    needs: ['replacement'],
    async keep(bench) {
      const [first] = (await bench.granted(1, 'assumed')) as [Allocation];
      const { submitter } = first;
      await bench.engine.quarantine(first, { reason: 'timed out' });
      await bench.subject.expire(await bench.row(first));
      const second = await bench.one(submitter);
      await bench.release(second);
      assert.equal((await bench.row(second)).stage, 'QUARANTINED');
      await refusal(bench.release(second), 'NONCE_RECYCLE_UNSAFE');
      await bench.subject.expire(await bench.row(second));
      const third = await bench.one(submitter);
      assert.deepEqual([third.nonce, third.source], [0, 'replacement']);
      await bench.subject.expire(third);
      assert.equal((await bench.one(submitter)).nonce, 1);
      assert.equal((await bench.row(third)).stage, 'QUARANTINED');
      await bench.subject.expire(await bench.row(third));
      const fourth = await bench.one(submitter);
      assert.deepEqual([fourth.nonce, fourth.source], [0, 'replacement']);
    },
  },
  {
    sentence: 'S3: the holder of a replacement may use it like any other nonce',
    needs: ['replacement'],
    async keep(bench) {
      const [first] = (await bench.granted(1, 'assumed')) as [Allocation];
      await bench.engine.quarantine(first, { reason: 'timed out' });
      await bench.subject.expire(await bench.row(first));
      const second = await bench.one(first.submitter);
      const intent = await bench.engine.intent(second, { txHash: hashOf('b') });
      assert.equal(intent.allocation.stage, 'INTENT');
      await refusal(bench.engine.markUsed(first, {}), 'NONCE_FENCED');
    },
  },
];

async function keepsBackAfterDeadline(bench: ContractBench, exposure: Exposure): Promise<void> {
  const [late] = (await bench.granted(1, exposure)) as [Allocation];
  await bench.subject.expire(late);
  assert.equal((await bench.one(late.submitter)).nonce, 1);
  assert.equal((await bench.row(late)).stage, 'QUARANTINED');
  const intent = await bench.engine.intent(late, { txHash: hashOf('late') });
  assert.equal(intent.allocation.stage, 'INTENT');
}
