import assert from 'node:assert/strict';
import type { Allocation } from '../../domain/allocation';
import { noncesOf, range, refusal } from './contract-bench';
import type { ContractPromise } from './promise';

/** Several nonces for one caller. */
export const BLOCK_PROMISES: readonly ContractPromise[] = [
  {
    sentence: 'a block is contiguous, in order, and every nonce has its own owner token',
    async keep(bench) {
      const submitter = bench.submitter();
      await bench.one(submitter);
      await bench.subject.setWindow(submitter, 0);
      const grant = await bench.allocate(submitter, { count: 256 });
      assert.deepEqual(noncesOf(grant), range(1, 256));
      assert.equal(grant.contiguous, true);
      assert.equal(new Set(grant.allocations.map(({ id }) => id)).size, 256);
    },
  },
  {
    sentence: 'a block is granted whole or not at all',
    async keep(bench) {
      const submitter = bench.submitter();
      await bench.one(submitter);
      await bench.subject.setWindow(submitter, 4);
      await bench.allocate(submitter, { count: 2 });
      const before = await bench.subject.rows(submitter);
      await refusal(bench.allocate(submitter, { count: 2 }), 'NONCE_IN_FLIGHT_LIMIT');
      assert.deepEqual(await bench.subject.rows(submitter), before);
      assert.deepEqual(await bench.nonces(submitter), [3]);
    },
  },
  {
    sentence: 'a block larger than the window is refused as a wrong request, since it never fits',
    async keep(bench) {
      const submitter = bench.submitter();
      await bench.one(submitter);
      await bench.subject.setWindow(submitter, 4);
      const error = await refusal(bench.allocate(submitter, { count: 5 }), 'NONCE_VALIDATION');
      assert.deepEqual(
        error.errors.map(({ pointer }) => pointer),
        ['/count'],
      );
      assert.equal((await bench.subject.rows(submitter)).length, 1);
    },
  },
  {
    sentence:
      'H-20: block requests use recyclable nonces too, say that they are not contiguous, and leave no gap',
    async keep(bench) {
      const held = await bench.granted(20);
      const { submitter } = held[0] as Allocation;
      for (const nonce of [3, 7, 11]) await bench.release(held[nonce] as Allocation);
      const grant = await bench.allocate(submitter, { count: 8 });
      assert.deepEqual(noncesOf(grant), [3, 7, 11, ...range(20, 5)]);
      assert.equal(grant.contiguous, false);
      const next = await bench.allocate(submitter, { count: 8 });
      assert.deepEqual([noncesOf(next), next.contiguous], [range(25, 8), true]);
    },
  },
  {
    sentence: 'a block of neighbouring recyclable nonces is contiguous',
    async keep(bench) {
      const held = await bench.granted(10);
      const { submitter } = held[0] as Allocation;
      for (const allocation of held.slice(4, 8)) await bench.release(allocation);
      const grant = await bench.allocate(submitter, { count: 4 });
      assert.deepEqual([noncesOf(grant), grant.contiguous], [[4, 5, 6, 7], true]);
    },
  },
  {
    sentence: 'blocks of many callers of several nodes never share a nonce',
    needs: ['several-nodes'],
    async keep(bench) {
      const [first] = await bench.granted(1);
      const { submitter } = first as Allocation;
      const nodes = [bench.engine, bench.secondNode];
      const grants = await Promise.all(
        range(0, 30).map((i) => bench.allocate(submitter, { count: 1 + (i % 7) }, nodes[i % 2])),
      );
      const all = grants.flatMap(noncesOf).sort((a, b) => a - b);
      assert.deepEqual(all, range(1, all.length));
      assert.ok(grants.every((grant) => grant.contiguous));
    },
  },
];
