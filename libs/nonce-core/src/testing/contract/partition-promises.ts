import assert from 'node:assert/strict';
import { EXPOSURES, type Allocation } from '../../domain/allocation';
import { canMove } from '../../domain/allocation-state';
import { HOLDER_COMMANDS } from '../../domain/holder-command';
import { isNonceError } from '../../domain/errors/nonce-error';
import type { ContractBench } from './contract-bench';
import { say } from './holder-matrix';
import type { ContractPromise } from './promise';

const WALKS = 3;
const STEPS = 60;

/** Random histories, checked after every step. The seed is part of the sentence: it can be repeated. */
export const PARTITION_PROMISES: readonly ContractPromise[] = Array.from(
  { length: WALKS },
  (_, seed) => ({
    sentence: `S12: after every step of random history ${seed} each nonce is in exactly one state`,
    keep: (bench: ContractBench) => walk(bench, randomFrom(seed)),
  }),
);

async function walk(bench: ContractBench, random: () => number): Promise<void> {
  const [first] = (await bench.granted(1)) as [Allocation];
  const { submitter } = first;
  const tokens: Allocation[] = [first];
  let before = await bench.subject.rows(submitter);
  for (let step = 0; step < STEPS; step += 1) {
    const node = random() < 0.5 ? bench.engine : bench.secondNode;
    const dice = random();
    const token = tokens[Math.floor(random() * tokens.length)] as Allocation;
    if (dice < 0.35) {
      const exposure = EXPOSURES[Math.floor(random() * EXPOSURES.length)] ?? 'declared';
      const count = 1 + Math.floor(random() * 3);
      const grant = await bench.allocate(submitter, { exposure, count }, node);
      for (const allocation of grant.allocations) tokens.push(allocation);
    } else if (dice < 0.85) {
      const command = HOLDER_COMMANDS[Math.floor(random() * HOLDER_COMMANDS.length)] ?? 'keep';
      await say(node, { command }, token).catch(refuseUnlessDocumented);
    } else {
      await bench.subject.expire(await bench.row(token));
    }
    await bench.assertPartition(submitter);
    const after = await bench.subject.rows(submitter);
    assertLegal(before, after);
    before = after;
  }
}

/** S3, S10: rows move by the table, and nothing that was exposed is ever held clean again. */
function assertLegal(before: readonly Allocation[], after: readonly Allocation[]): void {
  for (const [index, old] of before.entries()) {
    const now = after[index] as Allocation;
    assert.ok(
      old.hashes.every((hash) => now.hashes.includes(hash)),
      'no hash is forgotten',
    );
    if (old.id !== now.id) {
      const wasTainted = old.stage === 'QUARANTINED' || old.exposure !== 'declared';
      assert.ok(!wasTainted || now.source === 'replacement' || old.stage === 'REUSABLE');
    } else if (old.stage !== now.stage) {
      assert.ok(canMove(old.stage, now.stage), `${old.stage} became ${now.stage}`);
    }
  }
}

function refuseUnlessDocumented(error: unknown): void {
  const documented = ['NONCE_FENCED', 'NONCE_ALLOCATION_CLOSED', 'NONCE_RECYCLE_UNSAFE'];
  if (!isNonceError(error) || !documented.includes(error.code)) throw error;
}

/** mulberry32: small, and the same on every machine. */
function randomFrom(seed: number): () => number {
  let state = seed + 0x6d2b79f5;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
