import {
  NonceOperationFailedError,
  NonceOutcomeUnknownError,
} from '../../src/domain/errors/handler-errors';
import { NonceOutcome } from '../../src/domain/nonce-outcome';
import type { NonceContext } from '../../src/template/nonce-context';
import { FakeClock } from '../../src/testing/fake-clock';
import { ADDRESS, SUBMITTER, templateWorld } from './template-world';

const HASH = `0x${'cd'.repeat(32)}` as const;

async function rejection(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => {
      throw new Error('the call resolved');
    },
    (error: unknown) => error,
  );
}

function gate<T = void>() {
  let open!: (value: T) => void;
  const opened = new Promise<T>((resolve) => (open = resolve));
  return { open, opened };
}

describe('keep', () => {
  it('is not claimed when the store was not reached: the caller must not count on the nonce', async () => {
    const { template, line, stageOf } = templateWorld();
    line.fail('keepReserved', 'not-reached');
    const keeping = template.execute(SUBMITTER, async () => NonceOutcome.keep('until tomorrow'));
    expect(await rejection(keeping)).toMatchObject({ code: 'NONCE_STORE_UNAVAILABLE' });
    expect(stageOf(0)).toBe('GRANTED');
  });
});

describe('incidents at the template', () => {
  it('H-7: a plain handler sends, the request times out, the handler throws: its nonce is not given out clean', async () => {
    const { template, chain, sign, stageOf } = templateWorld();
    const sending = template.execute(SUBMITTER, async (ctx) => {
      await chain.send(sign(ctx.nonce, 'pay A').rawTx);
      throw new Error('request timed out');
    });
    const error = await rejection(sending);
    expect(error).toBeInstanceOf(NonceOutcomeUnknownError);
    expect(stageOf(0)).toBe('QUARANTINED');
    const next = await template.execute(SUBMITTER, async (ctx) => ctx.nonce);
    expect(next).toMatchObject({ value: 1, source: 'fresh' });
  });

  it('H-8: the reply to an intent is lost for good; the caller comes back and never gets another nonce', async () => {
    const { template, line, stageOf } = templateWorld();
    line.fail('intent', 'reply-lost', 'not-reached', 'not-reached');
    const pay = (ctx: NonceContext) => ctx.intent({ txHash: HASH });
    const first = await rejection(template.execute(SUBMITTER, pay, { operationId: 'A' }));
    expect(first).toMatchObject({ code: 'NONCE_OUTCOME_UNKNOWN', hashes: [HASH] });
    expect(stageOf(0)).toBe('INTENT');
    const again = await rejection(template.execute(SUBMITTER, pay, { operationId: 'A' }));
    expect(again).toMatchObject({ code: 'NONCE_OUTCOME_UNKNOWN', hashes: [HASH] });
    expect(stageOf(1)).toBeUndefined();
  });

  it('H-8: an intent whose reply is lost once is repeated with the same hash and goes on', async () => {
    const { template, line, stageOf } = templateWorld();
    line.fail('intent', 'reply-lost');
    await template.execute(SUBMITTER, (ctx) => ctx.intent({ txHash: HASH }));
    expect(stageOf(0)).toBe('BROADCAST');
  });

  it('H-8: an intent that never reached the store still counts as exposure', async () => {
    const { template, line, stageOf } = templateWorld();
    line.fail('intent', 'not-reached', 'not-reached', 'not-reached');
    const call = template.execute(SUBMITTER, (ctx) => ctx.intent({ txHash: HASH }), {
      exposure: 'declared',
    });
    expect(await rejection(call)).toMatchObject({ code: 'NONCE_OUTCOME_UNKNOWN' });
    expect(stageOf(0)).toBe('QUARANTINED');
  });

  it('I-01: a timeout on send is never "not sent": the operation is not paid again', async () => {
    const { template, chain, sign } = templateWorld();
    const pay = async (ctx: NonceContext) => {
      chain.failNextSend('reply-lost');
      return ctx.send(sign(ctx.nonce, 'pay A').rawTx);
    };
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const call = template.execute(SUBMITTER, pay, { operationId: 'A' });
      expect(await rejection(call)).toMatchObject({ code: 'NONCE_OUTCOME_UNKNOWN' });
    }
    chain.mine();
    expect(chain.executions('pay A')).toBe(1);
  });

  it('I-02: a holder that vanished without a hash does not make its nonce clean', async () => {
    const { template, engine, engineClock, chain, sign, stageOf } = templateWorld();
    const [allocation] = (
      await engine.allocate({
        submitter: SUBMITTER,
        count: 1,
        operationId: 'A',
        ttlMs: 1_000,
        exposure: 'inferred',
      })
    ).allocations;
    // The node dies after its send and before it could say anything.
    await chain.send(sign(allocation!.nonce, 'pay A').rawTx);
    await engineClock.advance(2_000);
    const other = await template.execute(SUBMITTER, async (ctx) => ctx.nonce);
    expect(other.value).toBe(1);
    expect(stageOf(0)).toBe('QUARANTINED');
    const again = template.execute(SUBMITTER, async (ctx) => ctx.nonce, { operationId: 'A' });
    expect(await rejection(again)).toMatchObject({ code: 'NONCE_OUTCOME_UNKNOWN' });
  });

  it('I-02: a run after a lost one cannot make the nonce clean, not even by its own word', async () => {
    const { template, engine, stageOf } = templateWorld();
    await engine.allocate({
      submitter: SUBMITTER,
      count: 1,
      operationId: 'A',
      ttlMs: 60_000,
      exposure: 'inferred',
    });
    const call = template.execute(SUBMITTER, async () => NonceOutcome.fail('no funds left'), {
      operationId: 'A',
    });
    expect(await rejection(call)).toMatchObject({ code: 'NONCE_OUTCOME_UNKNOWN' });
    expect(stageOf(0)).toBe('QUARANTINED');
  });

  it('I-03: recording fails after the broadcast: the record is repeated, never the work', async () => {
    const { template, line, chain, sign, stageOf } = templateWorld();
    line.fail('markUsed', 'not-reached', 'reply-lost');
    let runs = 0;
    const done = await template.execute(SUBMITTER, (ctx) => {
      runs += 1;
      return ctx.send(sign(ctx.nonce, 'pay A').rawTx);
    });
    expect(done).toMatchObject({ stage: 'BROADCAST', attempts: 1 });
    expect(runs).toBe(1);
    chain.mine();
    expect(chain.executions('pay A')).toBe(1);
    expect(stageOf(0)).toBe('BROADCAST');
  });

  it('I-03: a success that cannot be recorded is unknown, and a retry of the operation does not run', async () => {
    const clock = new FakeClock();
    const { template, line, chain, sign } = templateWorld({ clock });
    line.fail('markUsed', ...Array<'not-reached'>(6).fill('not-reached'));
    let runs = 0;
    const pay = (ctx: NonceContext) => {
      runs += 1;
      return ctx.send(sign(ctx.nonce, 'pay A').rawTx);
    };
    const call = rejection(template.execute(SUBMITTER, pay, { operationId: 'A' }));
    while (line.calls.filter((name) => name === 'markUsed').length < 6) await clock.advance(1_000);
    expect(await call).toMatchObject({ code: 'NONCE_OUTCOME_UNKNOWN' });
    const again = await rejection(template.execute(SUBMITTER, pay, { operationId: 'A' }));
    expect(again).toMatchObject({ code: 'NONCE_OUTCOME_UNKNOWN' });
    expect(runs).toBe(1);
    chain.mine();
    expect(chain.executions('pay A')).toBe(1);
  });
});

describe('a handler that lost its nonce', () => {
  it('is run anew with another nonce when its intent is fenced, and never recycles the lost one', async () => {
    const { template, engine, engineClock, line, stageOf } = templateWorld();
    const nonces: number[] = [];
    const done = await template.execute(
      SUBMITTER,
      async (ctx) => {
        nonces.push(ctx.nonce);
        if (nonces.length === 1) {
          // The node was paused beyond its deadline; somebody else got the nonce meanwhile.
          await engineClock.advance(61_000);
          await engine.allocate({
            submitter: SUBMITTER,
            count: 1,
            ttlMs: 60_000,
            exposure: 'declared',
          });
        }
        await ctx.intent({ txHash: HASH });
        return 'sent';
      },
      { exposure: 'declared' },
    );
    expect(nonces).toEqual([0, 1]);
    expect(done).toMatchObject({ value: 'sent', nonce: 1, stage: 'BROADCAST' });
    expect(stageOf(0)).toBe('GRANTED');
    expect(line.calls).not.toContain('markRecyclable');
  });

  it('gives up after some lost nonces, and says that it was fenced', async () => {
    const { template, engine, engineClock } = templateWorld();
    let runs = 0;
    const call = template.execute(
      SUBMITTER,
      async (ctx) => {
        runs += 1;
        await engineClock.advance(61_000);
        await engine.allocate({
          submitter: SUBMITTER,
          count: 12 * runs,
          ttlMs: 60_000,
          exposure: 'declared',
        });
        await ctx.intent({ txHash: HASH });
      },
      { exposure: 'declared' },
    );
    expect(await rejection(call)).toMatchObject({ code: 'NONCE_FENCED' });
    expect(runs).toBe(5);
  });

  it('is told by its signal when a heartbeat learns of the loss', async () => {
    const clock = new FakeClock();
    const { template, engine, engineClock } = templateWorld({ clock });
    const aborted = gate<unknown>();
    const call = template.execute(
      SUBMITTER,
      async (ctx) => {
        await engineClock.advance(61_000);
        await engine.allocate({
          submitter: SUBMITTER,
          count: 1,
          ttlMs: 60_000,
          exposure: 'declared',
        });
        ctx.signal.addEventListener('abort', () => aborted.open(ctx.signal.reason));
        const waiting = aborted.opened;
        await clock.advance(20_000);
        throw await waiting;
      },
      { exposure: 'declared' },
    );
    expect(await rejection(call)).toMatchObject({ code: 'NONCE_FENCED' });
  });

  it('is refused every word after it has ended', async () => {
    const { template } = templateWorld();
    let late!: NonceContext;
    await template.execute(SUBMITTER, async (ctx) => {
      late = ctx;
    });
    await expect(late.intent({ txHash: HASH })).rejects.toMatchObject({
      code: 'NONCE_ALLOCATION_CLOSED',
    });
  });

  it('S3: is not shown its nonce for the first time after it has ended, when the nonce was given back', async () => {
    const { template, stageOf } = templateWorld();
    let kept: NonceContext | undefined;
    const failing = template.execute(SUBMITTER, async (ctx) => {
      kept = ctx;
      throw new Error('before anything was read');
    });
    await expect(failing).rejects.toThrow('before anything was read');
    expect(stageOf(0)).toBe('REUSABLE');
    expect(() => kept?.nonce).toThrow(expect.objectContaining({ code: 'NONCE_ALLOCATION_CLOSED' }));
    await template.execute(SUBMITTER, async (ctx) => {
      kept = ctx;
      return ctx.nonce;
    });
    expect(kept?.nonce).toBe(0);
  });

  it('S4: is not told that nothing was sent while another run of its operation goes on elsewhere', async () => {
    const { template, engine, stageOf } = templateWorld();
    const work = { submitter: SUBMITTER, count: 1, ttlMs: 60_000, exposure: 'inferred' } as const;
    const failing = template.execute(
      SUBMITTER,
      async () => {
        expect((await engine.allocate({ ...work, operationId: 'pay' })).replayed).toBe(true);
        throw new Error('refused by a rule');
      },
      { operationId: 'pay' },
    );
    await expect(failing).rejects.toMatchObject({ code: 'NONCE_OUTCOME_UNKNOWN' });
    expect(stageOf(0)).toBe('QUARANTINED');
  });

  it('counts an intent that is still on its way when the handler gives up waiting', async () => {
    const { template, stageOf } = templateWorld();
    const call = template.execute(
      SUBMITTER,
      async (ctx) => {
        void ctx.intent({ txHash: HASH });
        throw new Error('took too long for the user');
      },
      { exposure: 'declared' },
    );
    expect(await rejection(call)).toMatchObject({ code: 'NONCE_OUTCOME_UNKNOWN' });
    expect(stageOf(0)).toBe('INTENT');
  });
});

describe('operations', () => {
  it('run once when two calls come at the same time; both get the result', async () => {
    const { template } = templateWorld();
    const { open, opened } = gate();
    let runs = 0;
    const call = () =>
      template.execute(
        SUBMITTER,
        async () => {
          runs += 1;
          await opened;
          return `run ${runs}`;
        },
        { operationId: 'A' },
      );
    const both = [call(), call()];
    open();
    const [first, second] = await Promise.all(both);
    expect([first?.value, second?.value, runs]).toEqual(['run 1', 'run 1', 1]);
  });

  it('that are done return the settled allocation without running', async () => {
    const { template } = templateWorld();
    const once = { operationId: 'A' };
    const first = await template.execute(SUBMITTER, async () => 'done', once);
    const second = await template.execute(SUBMITTER, async () => 'again', once);
    expect(second).toMatchObject({
      value: undefined,
      attempts: 0,
      replayed: true,
      allocationId: first.allocationId,
      stage: 'ASSERTED',
    });
  });

  it('that are done run again with the same nonce when told to; a failure changes nothing', async () => {
    const { template, stageOf } = templateWorld();
    const rerun = { operationId: 'A', rerun: true };
    await template.execute(SUBMITTER, async () => 'done', rerun);
    const again = await template.execute(SUBMITTER, async (ctx) => ctx.nonce, rerun);
    expect(again).toMatchObject({ value: 0, attempts: 1, stage: 'ASSERTED' });
    const failing = template.execute(SUBMITTER, async () => NonceOutcome.fail(), rerun);
    expect(await rejection(failing)).toMatchObject({ code: 'NONCE_OUTCOME_UNKNOWN' });
    expect(stageOf(0)).toBe('ASSERTED');
  });

  it('that failed cleanly may run again', async () => {
    const { template } = templateWorld();
    const call = (end: () => NonceOutcome<string>) =>
      template.execute(SUBMITTER, async () => end(), { operationId: 'A' });
    const failed = await rejection(call(() => NonceOutcome.fail('no funds')));
    expect(failed).toBeInstanceOf(NonceOperationFailedError);
    expect(failed).toMatchObject({ code: 'NONCE_OPERATION_FAILED', reason: 'no funds' });
    expect(await call(() => NonceOutcome.success('paid'))).toMatchObject({
      value: 'paid',
      nonce: 0,
    });
  });

  it('that used up their retries come back to the same nonce', async () => {
    const { template } = templateWorld();
    const once = { operationId: 'A', maxAttempts: 2 };
    const attempts: number[] = [];
    const exhausted = template.execute(
      SUBMITTER,
      async (ctx) => {
        attempts.push(ctx.attempt);
        return NonceOutcome.retry('not yet');
      },
      once,
    );
    expect(await rejection(exhausted)).toMatchObject({ code: 'NONCE_RETRY_EXHAUSTED' });
    expect(attempts).toEqual([1, 2]);
    expect(await template.execute(SUBMITTER, async (ctx) => ctx.nonce, once)).toMatchObject({
      value: 0,
    });
  });

  it('refuse to be started again by their own handler', async () => {
    const { template } = templateWorld();
    const once = { operationId: 'A' };
    const call = template.execute(
      SUBMITTER,
      async () => (await template.execute(SUBMITTER, async () => 1, once)).value,
      once,
    );
    expect(await rejection(call)).toMatchObject({ code: 'NONCE_VALIDATION' });
  });
});

describe('waiting', () => {
  it('outlasts a full window until a transaction is mined', async () => {
    const { template, engine } = templateWorld({ settings: { waitMs: 5_000, backoffMs: 5 } });
    const held = await engine.allocate({
      submitter: SUBMITTER,
      count: 64,
      ttlMs: 60_000,
      exposure: 'declared',
    });
    const call = template.execute(SUBMITTER, async (ctx) => ctx.nonce);
    await engine.markRecyclable(held.allocations[3]!, { reason: 'not needed' });
    expect(await call).toMatchObject({ value: 3 });
  });

  it('ends with the refusal when it does not pass in time, and at once when the caller gives up', async () => {
    const { template, engine } = templateWorld();
    await engine.allocate({ submitter: SUBMITTER, count: 64, ttlMs: 60_000, exposure: 'declared' });
    const late = template.execute(SUBMITTER, async () => 1);
    expect(await rejection(late)).toMatchObject({ code: 'NONCE_IN_FLIGHT_LIMIT' });
    const aborted = template.execute(SUBMITTER, async () => 1, {
      signal: AbortSignal.abort(new Error('gone')),
    });
    expect(await rejection(aborted)).toMatchObject({ message: 'gone' });
  });

  it('sends heartbeats while the handler runs, so that a slow one keeps its nonce', async () => {
    const clock = new FakeClock();
    const { template, line, engineClock } = templateWorld({ clock });
    const done = await template.execute(SUBMITTER, async (ctx) => {
      for (let minute = 0; minute < 3; minute += 1) {
        for (let beat = 0; beat < 3; beat += 1) {
          await engineClock.advance(20_000);
          await clock.advance(20_000);
        }
      }
      return ctx.nonce;
    });
    expect(done).toMatchObject({ value: 0, stage: 'ASSERTED' });
    expect(line.calls.filter((name) => name === 'heartbeat')).toHaveLength(9);
  });
});

describe('what a context knows', () => {
  it('tells a replacement which hashes it competes with', async () => {
    const { template, engineClock } = templateWorld();
    await rejection(
      template.execute(SUBMITTER, async (ctx) => {
        throw new Error(`timed out at ${ctx.nonce}`);
      }),
    );
    await engineClock.advance(600_001);
    const next = await template.execute(SUBMITTER, async (ctx) => ctx.replacement);
    expect(next).toMatchObject({
      source: 'replacement',
      nonce: 0,
      value: { hashes: [], feeFloor: null },
    });
  });

  it('refuses to send bytes that are signed for another nonce', async () => {
    const { template, sign, stageOf } = templateWorld();
    const call = template.execute(SUBMITTER, (ctx) => ctx.send(sign(ctx.nonce + 1, 'pay').rawTx));
    expect(await rejection(call)).toMatchObject({ code: 'NONCE_VALIDATION' });
    expect(stageOf(0)).toBe('REUSABLE');
  });

  it('refuses to send where no chain is configured, before anything is written', async () => {
    const { template, sign } = templateWorld();
    const elsewhere = { chainId: 424_242, address: ADDRESS };
    const call = template.execute(elsewhere, (ctx) => ctx.send(sign(0, 'pay').rawTx));
    expect(await rejection(call)).toMatchObject({ code: 'NONCE_CHAIN_UNKNOWN' });
  });
});
