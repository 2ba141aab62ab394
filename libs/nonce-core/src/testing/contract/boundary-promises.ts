import assert from 'node:assert/strict';
import type { Allocation } from '../../domain/allocation';
import { ALLOCATION_LIMITS } from '../../domain/allocation';
import { MAX_NONCE } from '../../domain/nonce';
import { parseSubmitter, submitterParts } from '../../domain/submitter';
import {
  asNonce,
  assertSameFacts,
  range,
  refusal,
  type ContractBench,
  type Wish,
} from './contract-bench';
import { FOLLOWED_CHAIN_ID, PLAIN_CHAIN_ID } from './contract-world';
import type { ContractPromise } from './promise';

/** Starts at which texts, floats or 32-bit integers would go wrong (I-39). */
const BOUNDARY_STARTS = [9, 99, 2 ** 31 - 2, 2 ** 32 - 2, 2 ** 53 - 8];

/** Values that no engine may accept, and where it must say the problem lies. */
const WRONG_WISHES: readonly (readonly [Wish, string])[] = [
  [{ count: 0 }, '/count'],
  [{ count: -1 }, '/count'],
  [{ count: 1.5 }, '/count'],
  [{ count: Number.NaN }, '/count'],
  [{ count: ALLOCATION_LIMITS.maxCount + 1 }, '/count'],
  [{ ttlMs: ALLOCATION_LIMITS.minTtlMs - 1 }, '/ttlMs'],
  [{ ttlMs: ALLOCATION_LIMITS.maxTtlMs + 1 }, '/ttlMs'],
  [{ ttlMs: Number.POSITIVE_INFINITY }, '/ttlMs'],
  [{ operationId: '' }, '/operationId'],
  [{ operationId: 'x'.repeat(ALLOCATION_LIMITS.maxOperationIdLength + 1) }, '/operationId'],
  [{ operationId: 'NUL \0' }, '/operationId'],
];

/** Identity, exact integers, and refusals that leave no trace. */
export const BOUNDARY_PROMISES: readonly ContractPromise[] = [
  {
    sentence: 'S13, I-38: all spellings of an account are one queue, and each chain has its own',
    async keep(bench) {
      const submitter = bench.submitter();
      const { address } = submitterParts(submitter);
      const upper = `0x${address.slice(2).toUpperCase()}`;
      const spellings = [
        parseSubmitter(submitter.toUpperCase().replace('0X', '0x')),
        parseSubmitter(upper, PLAIN_CHAIN_ID),
        parseSubmitter({ chainId: PLAIN_CHAIN_ID, address: upper }),
      ];
      for (const [index, spelling] of spellings.entries()) {
        assert.deepEqual(await bench.nonces(spelling), [index]);
      }
      const elsewhere = parseSubmitter({ chainId: FOLLOWED_CHAIN_ID, address });
      assert.deepEqual(await bench.nonces(elsewhere), [0]);
      assert.deepEqual(await bench.nonces(submitter), [3]);
    },
  },
  {
    sentence: 'S13: a submitter that is not canonical is refused before any store is touched',
    async keep(bench) {
      const canonical = bench.submitter();
      for (const text of [canonical.toUpperCase(), canonical.slice(0, -1), `${canonical} `]) {
        const submitter = text as typeof canonical;
        await refusal(bench.allocate(submitter), 'NONCE_VALIDATION');
      }
      await refusal(bench.engine.inspect(canonical), 'NONCE_SUBMITTER_UNKNOWN');
    },
  },
  ...BOUNDARY_STARTS.map((start) => ({
    sentence: `S14, I-39: order and equality are exact from nonce ${start} on`,
    keep: (bench: ContractBench) => standardWorkload(bench, start),
  })),
  {
    sentence: 'S14: the last exact nonce is granted, and nothing above it',
    async keep(bench) {
      const submitter = bench.submitter();
      const wish = { startNonce: asNonce(MAX_NONCE - 2) };
      assert.deepEqual(await bench.nonces(submitter, { ...wish, count: 2 }), [
        MAX_NONCE - 2,
        MAX_NONCE - 1,
      ]);
      await refusal(bench.allocate(submitter, { count: 2 }), 'NONCE_OUT_OF_RANGE');
      const last = await bench.one(submitter);
      assert.equal(last.nonce, MAX_NONCE);
      await refusal(bench.allocate(submitter), 'NONCE_OUT_OF_RANGE');
      await bench.release(last);
      assert.deepEqual(await bench.nonces(submitter), [MAX_NONCE]);
    },
  },
  {
    sentence: 'S14: a start nonce that is no exact nonce is refused, and creates nothing',
    async keep(bench) {
      const submitter = bench.submitter();
      for (const value of [-1, 1.5, 2 ** 53, Number.NaN]) {
        const call = bench.allocate(submitter, { startNonce: asNonce(value) });
        await refusal(call, 'NONCE_OUT_OF_RANGE');
      }
      await refusal(bench.engine.inspect(submitter), 'NONCE_SUBMITTER_UNKNOWN');
    },
  },
  {
    sentence: 'a start nonce counts once: later ones are ignored',
    async keep(bench) {
      const submitter = bench.submitter();
      assert.deepEqual(await bench.nonces(submitter, { startNonce: asNonce(7) }), [7]);
      assert.deepEqual(await bench.nonces(submitter, { startNonce: asNonce(100) }), [8]);
    },
  },
  {
    sentence: 'a request beyond the limits names the field, and creates nothing',
    async keep(bench) {
      const submitter = bench.submitter();
      for (const [wish, pointer] of WRONG_WISHES) {
        const error = await refusal(bench.allocate(submitter, wish), 'NONCE_VALIDATION');
        assert.deepEqual(
          error.errors.map((problem) => problem.pointer),
          [pointer],
        );
      }
      await refusal(bench.engine.inspect(submitter), 'NONCE_SUBMITTER_UNKNOWN');
      const [held] = (await bench.granted(1)) as [Allocation];
      await refusal(bench.engine.heartbeat(held, { ttlMs: 1 }), 'NONCE_VALIDATION');
      assertSameFacts(await bench.row(held), held);
    },
  },
];

/** Grant, give back in disorder, grant again: the same nonces, in numeric order. */
async function standardWorkload(bench: ContractBench, start: number): Promise<void> {
  const submitter = bench.submitter();
  const wish = { startNonce: asNonce(start), count: 5 };
  const held = (await bench.allocate(submitter, wish)).allocations;
  assert.deepEqual(
    held.map(({ nonce }) => nonce as number),
    range(start, 5),
  );
  for (const index of [4, 1, 3]) await bench.release(held[index] as Allocation);
  const again = await bench.allocate(submitter, { count: 4 });
  const nonces = again.allocations.map(({ nonce }) => nonce as number);
  assert.deepEqual(nonces, [start + 1, start + 3, start + 4, start + 5]);
  await bench.subject.rows(submitter);
  const view = await bench.engine.inspect(submitter);
  assert.equal(view.nextLocalNonce, start + 6);
}
