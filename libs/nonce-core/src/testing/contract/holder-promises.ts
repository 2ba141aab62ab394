import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Allocation } from '../../domain/allocation';
import { HOLDER_COMMANDS } from '../../domain/holder-command';
import type { Hex } from '../../domain/brand';
import { assertSameFacts, hashOf, range, refusal } from './contract-bench';
import { say } from './holder-matrix';
import type { ContractPromise } from './promise';

/** Who may say something about an allocation, and what comes of saying it twice or too late. */
export const HOLDER_PROMISES: readonly ContractPromise[] = [
  {
    sentence: 'S10: a foreign owner token is fenced by every command and changes nothing',
    async keep(bench) {
      const [held] = await bench.granted(1);
      const before = await bench.row(held as Allocation);
      const foreign = { ...(held as Allocation), id: randomUUID() };
      for (const command of HOLDER_COMMANDS) {
        await refusal(say(bench.engine, { command }, foreign), 'NONCE_FENCED');
      }
      assert.deepEqual(await bench.row(held as Allocation), before);
    },
  },
  {
    sentence: 'S10: the token of an earlier grant is fenced by every command and changes nothing',
    async keep(bench) {
      const [late] = (await bench.granted(1)) as [Allocation];
      await bench.release(late);
      const now = await bench.one(late.submitter);
      assert.equal(now.nonce, late.nonce);
      const before = await bench.row(now);
      for (const command of HOLDER_COMMANDS) {
        await refusal(say(bench.secondNode, { command }, late), 'NONCE_FENCED');
        await refusal(say(bench.engine, { command }, { ...late }), 'NONCE_FENCED');
      }
      assert.deepEqual(await bench.row(now), before);
    },
  },
  {
    sentence: 'an id that names no allocation is unknown, and so is text that is no id',
    async keep(bench) {
      const unknown = { id: randomUUID() };
      const call = bench.engine.heartbeat(unknown, { ttlMs: 1_000 });
      await refusal(call, 'NONCE_ALLOCATION_UNKNOWN');
      const noId = bench.engine.markRecyclable({ id: "x'; --" }, { reason: 'x' });
      await refusal(noId, 'NONCE_ALLOCATION_UNKNOWN');
    },
  },
  {
    sentence: 'S11, I-34: a command delivered again, also by another node, changes nothing',
    async keep(bench) {
      const held = await bench.granted(4);
      const [a, b, c, d] = held as [Allocation, Allocation, Allocation, Allocation];
      const txHash = hashOf('tx');
      const twice = [
        (node: typeof bench.engine) => node.intent(a, { txHash }),
        (node: typeof bench.engine) => node.markSubmitted(b, { txHash }),
        (node: typeof bench.engine) => node.markUsed(c, {}),
        (node: typeof bench.engine) => node.markRecyclable(d, { reason: 'x' }),
      ];
      for (const command of twice) {
        const first = await command(bench.engine);
        const again = await command(bench.secondNode);
        assert.deepEqual([first.changed, again.changed], [true, false]);
        assertSameFacts(again.allocation, first.allocation);
      }
    },
  },
  {
    sentence: 'I-34: a release delivered again after the nonce was granted anew frees nothing',
    async keep(bench) {
      const [first] = (await bench.granted(1)) as [Allocation];
      await bench.release(first);
      const second = await bench.one(first.submitter);
      await refusal(bench.release(first), 'NONCE_FENCED');
      assert.equal((await bench.row(second)).stage, 'GRANTED');
      assert.equal((await bench.one(first.submitter)).nonce, 1);
    },
  },
  {
    sentence: 'S3, I-01: after an intent the nonce is never given back, whatever its holder says',
    async keep(bench) {
      const [held] = (await bench.granted(1)) as [Allocation];
      await bench.engine.intent(held, { txHash: hashOf('a') });
      await refusal(bench.release(held), 'NONCE_RECYCLE_UNSAFE');
      await bench.subject.expire(held);
      assert.equal((await bench.one(held.submitter)).nonce, 1);
      assert.equal((await bench.row(held)).stage, 'INTENT');
    },
  },
  {
    sentence: 'commands on one allocation take effect in the order they were given',
    async keep(bench) {
      const held = await bench.granted(30);
      await Promise.all(
        held.map(async (allocation) => {
          const answers = await Promise.all([
            bench.engine.heartbeat(allocation, { ttlMs: 5_000 }),
            bench.engine.intent(allocation, { txHash: hashOf('a') }),
            bench.engine.intent(allocation, { txHash: hashOf('b') }),
            bench.engine.markSubmitted(allocation, { txHash: hashOf('b') }),
          ]);
          const stages = answers.map((answer) => answer.allocation.stage);
          assert.deepEqual(stages, ['GRANTED', 'INTENT', 'INTENT', 'BROADCAST']);
          assert.deepEqual(answers[3].allocation.hashes, [hashOf('a'), hashOf('b')]);
        }),
      );
    },
  },
  {
    sentence: 'H-18: a refused command does not disturb the many that come with it',
    async keep(bench) {
      const held = await bench.granted(200);
      const [gone] = held as [Allocation];
      const calls = held.map((allocation, index) =>
        bench.engine.intent(index === 0 ? { ...gone, id: randomUUID() } : allocation, {
          txHash: hashOf(`tx ${index}`),
        }),
      );
      await refusal(calls[0] as Promise<unknown>, 'NONCE_FENCED');
      const done = await Promise.all(calls.slice(1));
      assert.ok(done.every((answer) => answer.allocation.stage === 'INTENT'));
      assert.equal((await bench.row(gone)).stage, 'GRANTED');
    },
  },
  {
    sentence: 'a hash means the same in any case, and text that is no hash is refused',
    async keep(bench) {
      const [held] = (await bench.granted(1)) as [Allocation];
      const txHash = hashOf('a');
      const upper: Hex = `0x${txHash.slice(2).toUpperCase()}`;
      await bench.engine.intent(held, { txHash: upper });
      const again = await bench.engine.intent(held, { txHash });
      assert.deepEqual([again.changed, again.allocation.hashes], [false, [txHash]]);
      await refusal(bench.engine.intent(held, { txHash: '0x12' }), 'NONCE_VALIDATION');
      const rawTx = '0xabc' as Hex;
      await refusal(bench.engine.intent(held, { txHash, rawTx }), 'NONCE_VALIDATION');
    },
  },
  {
    sentence: 'a heartbeat moves the deadline, and a note of any length is kept up to its limit',
    async keep(bench) {
      const [held] = (await bench.granted(1)) as [Allocation];
      const beat = await bench.engine.heartbeat(held, { ttlMs: 3_600_000 });
      assert.ok((beat.allocation.deadline?.getTime() ?? 0) > (held.deadline?.getTime() ?? 0));
      const note = range(0, 300).join(' ');
      const kept = await bench.engine.keepReserved(held, { note, ttlMs: 60_000 });
      assert.equal(kept.allocation.note, note.slice(0, 500));
      const odd = 'NUL \0 and half a pair \ud800';
      const { allocation } = await bench.engine.keepReserved(held, { note: odd, ttlMs: 60_000 });
      assert.equal(allocation.stage, 'GRANTED');
    },
  },
];
