import assert from 'node:assert/strict';
import type { Allocation } from '../../domain/allocation';
import { hashOf, noncesOf, range, refusal } from './contract-bench';
import type { ContractPromise } from './promise';

/** One operation, one nonce, until that nonce is final by another hash (S4). */
export const OPERATION_PROMISES: readonly ContractPromise[] = [
  {
    sentence: 'S11: the same operation gets the same allocation again, marked as a replay',
    async keep(bench) {
      const submitter = bench.submitter();
      const first = await bench.allocate(submitter, { operationId: 'pay-1' });
      await bench.one(submitter);
      const again = await bench.allocate(submitter, { operationId: 'pay-1' });
      assert.deepEqual([first.replayed, again.replayed], [false, true]);
      assert.equal(again.allocations[0]?.id, first.allocations[0]?.id);
      assert.equal(again.allocations[0]?.operationId, 'pay-1');
      assert.deepEqual(noncesOf(again), noncesOf(first));
    },
  },
  {
    sentence: 'H-4: an operation of three nonces has one binding and replays the same three',
    async keep(bench) {
      const submitter = bench.submitter();
      const wish = { operationId: 'batch', count: 3 };
      const first = await bench.allocate(submitter, wish);
      const again = await bench.allocate(submitter, wish, bench.secondNode);
      assert.deepEqual(noncesOf(first), [0, 1, 2]);
      assert.deepEqual([noncesOf(again), again.replayed], [[0, 1, 2], true]);
      await bench.engine.markUsed(first.allocations[0] as Allocation, {});
      await bench.release(first.allocations[1] as Allocation);
      assert.deepEqual(noncesOf(await bench.allocate(submitter, wish)), [0, 1, 2]);
    },
  },
  {
    sentence: 'S4: many callers of one operation on several nodes get one nonce',
    needs: ['several-nodes'],
    async keep(bench) {
      const submitter = bench.submitter();
      const nodes = [bench.engine, bench.secondNode];
      const grants = await Promise.all(
        range(0, 32).map((i) =>
          bench.allocate(submitter, { operationId: 'pay-1', requestHash: 'r' }, nodes[i % 2]),
        ),
      );
      assert.equal(new Set(grants.flatMap((g) => g.allocations.map(({ id }) => id))).size, 1);
      assert.equal(grants.filter((grant) => !grant.replayed).length, 1);
      assert.equal((await bench.subject.rows(submitter)).length, 1);
    },
  },
  {
    sentence: 'another request under the same operation is refused and changes nothing',
    async keep(bench) {
      const submitter = bench.submitter();
      const wish = { operationId: 'pay-1', requestHash: 'one' };
      await bench.allocate(submitter, wish);
      const before = await bench.subject.rows(submitter);
      const other = { ...wish, requestHash: 'other' };
      await refusal(bench.allocate(submitter, other), 'NONCE_IDEMPOTENCY_REUSED');
      await refusal(bench.allocate(submitter, { ...wish, count: 2 }), 'NONCE_IDEMPOTENCY_REUSED');
      const twins = [bench.allocate(submitter, wish), bench.allocate(submitter, other)] as const;
      await refusal(twins[1], 'NONCE_IDEMPOTENCY_REUSED');
      assert.equal((await twins[0]).replayed, true);
      assert.deepEqual(await bench.subject.rows(submitter), before);
    },
  },
  {
    sentence:
      'S3: what one of two runs of an operation calls unsent is not reusable while the other may have sent',
    needs: ['replacement'],
    async keep(bench) {
      const submitter = bench.submitter();
      const wish = { operationId: 'pay-1', exposure: 'inferred' } as const;
      const first = await bench.one(submitter, wish);
      assert.equal((await bench.one(submitter, wish)).id, first.id);
      await bench.release(first);
      assert.equal((await bench.row(first)).stage, 'QUARANTINED');
      await refusal(bench.release(first), 'NONCE_RECYCLE_UNSAFE');
      assert.deepEqual(await bench.nonces(submitter), [1]);
    },
  },
  {
    sentence: 'S3: two calls of one operation at the same time share its nonce as later ones do',
    needs: ['replacement'],
    async keep(bench) {
      const submitter = bench.submitter();
      await bench.one(submitter);
      const wish = { operationId: 'pay-1', exposure: 'inferred' } as const;
      const [first, second] = await Promise.all([
        bench.allocate(submitter, wish),
        bench.allocate(submitter, wish),
      ]);
      assert.deepEqual(noncesOf(first), noncesOf(second));
      assert.deepEqual([first.replayed, second.replayed].sort(), [false, true]);
      const [held] = first.allocations;
      assert.ok(held !== undefined);
      await bench.release(held);
      assert.equal((await bench.row(held)).stage, 'QUARANTINED');
    },
  },
  {
    sentence: 'operations of different submitters share nothing but their name',
    async keep(bench) {
      const [a, b] = [bench.submitter(), bench.submitter()];
      await bench.one(a);
      assert.deepEqual(await bench.nonces(a, { operationId: 'x' }), [1]);
      assert.deepEqual(await bench.nonces(b, { operationId: 'x' }), [0]);
    },
  },
  {
    sentence: 'an operation that released its nonce is granted one again, with a new owner token',
    async keep(bench) {
      const submitter = bench.submitter();
      const first = await bench.one(submitter, { operationId: 'pay-1' });
      await bench.release(first);
      const again = await bench.allocate(submitter, { operationId: 'pay-1' });
      assert.deepEqual([again.replayed, noncesOf(again)], [false, [0]]);
      assert.notEqual(again.allocations[0]?.id, first.id);
      await refusal(bench.engine.intent(first, { txHash: hashOf('late') }), 'NONCE_FENCED');
    },
  },
  {
    sentence:
      'S4: an operation whose released nonce went to another is granted a different one, and its old token is fenced',
    async keep(bench) {
      const submitter = bench.submitter();
      const first = await bench.one(submitter, { operationId: 'pay-1' });
      await bench.release(first);
      const other = await bench.one(submitter, { operationId: 'pay-2' });
      const again = await bench.one(submitter, { operationId: 'pay-1' });
      assert.deepEqual([other.nonce, again.nonce], [0, 1]);
      await refusal(bench.engine.intent(first, { txHash: hashOf('late') }), 'NONCE_FENCED');
    },
  },
  {
    sentence: 'H-2: an operation granted again elsewhere cannot adopt its first nonce any more',
    async keep(bench) {
      const submitter = bench.submitter();
      const [blocker, first] = [
        await bench.one(submitter),
        await bench.one(submitter, { operationId: 'pay-1' }),
      ];
      await bench.release(first);
      await bench.release(blocker);
      const again = await bench.one(submitter, { operationId: 'pay-1' });
      assert.equal(again.nonce, blocker.nonce);
      await refusal(bench.engine.intent(first, { txHash: hashOf('late') }), 'NONCE_FENCED');
      assert.equal((await bench.row(first)).stage, 'REUSABLE');
    },
  },
  {
    sentence:
      'S4: an operation that wrote an intent, or is done, gets its own allocation as it stands',
    async keep(bench) {
      const submitter = bench.followedSubmitter();
      const first = await bench.one(submitter, { operationId: 'pay-1' });
      await bench.engine.intent(first, { txHash: hashOf('a') });
      const exposed = await bench.allocate(submitter, { operationId: 'pay-1' });
      assert.deepEqual([exposed.replayed, exposed.allocations[0]?.stage], [true, 'INTENT']);
      assert.deepEqual(exposed.allocations[0]?.hashes, [hashOf('a')]);
      for (const stage of ['BROADCAST', 'MINED', 'CONFIRMED', 'FINAL'] as const) {
        await bench.subject.moveTo(first, stage);
        const later = await bench.allocate(submitter, { operationId: 'pay-1' });
        assert.deepEqual([later.replayed, later.allocations[0]?.stage], [true, stage]);
      }
    },
  },
  {
    sentence:
      'S4: an operation in quarantine keeps its nonce, and gets no second one once it was replaced',
    needs: ['replacement'],
    async keep(bench) {
      const submitter = bench.submitter();
      const first = await bench.one(submitter, { operationId: 'pay-1', exposure: 'inferred' });
      await bench.engine.quarantine(first, { reason: 'timeout' });
      const quarantined = await bench.allocate(submitter, { operationId: 'pay-1' });
      assert.deepEqual([quarantined.replayed, noncesOf(quarantined)], [true, [0]]);
      await bench.subject.expire(await bench.row(first));
      assert.equal((await bench.one(submitter)).source, 'replacement');
      await refusal(bench.allocate(submitter, { operationId: 'pay-1' }), 'NONCE_OUTCOME_UNKNOWN');
      assert.equal((await bench.subject.rows(submitter)).length, 1);
    },
  },
];
