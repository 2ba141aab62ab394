import { EXPOSURES, type Exposure } from '../../src/domain/allocation';
import { NonceOutcome } from '../../src/domain/nonce-outcome';
import { RetryableNonceError } from '../../src/domain/errors/handler-errors';
import type { NonceContext } from '../../src/template/nonce-context';
import { SUBMITTER, templateWorld, type TemplateWorld } from './template-world';

type End = (ctx: NonceContext, world: TemplateWorld) => unknown;

const timeout = () => new Error('the request timed out');
const business = () => new Error('the customer is blocked');
const HASH = `0x${'ab'.repeat(32)}` as const;

const read =
  (end: End): End =>
  (ctx, world) => {
    ctx.note(`works on ${ctx.nonce}`);
    return end(ctx, world);
  };
const throwing =
  (make: () => Error): End =>
  () => {
    throw make();
  };

/** How a handler ends, and the stage of its nonce under declared, inferred and assumed. */
const TABLE: readonly [string, End, string, string, string][] = [
  ['returns a value', read(() => 'done'), 'ASSERTED', 'ASSERTED', 'ASSERTED'],
  [
    'succeeds with a hash that can be followed',
    read(() => NonceOutcome.success('done', { txHash: HASH })),
    'BROADCAST',
    'BROADCAST',
    'BROADCAST',
  ],
  [
    'fails by its own word',
    read(() => NonceOutcome.fail('no funds')),
    'REUSABLE',
    'REUSABLE',
    'REUSABLE',
  ],
  ['keeps the nonce', read(() => NonceOutcome.keep('approval')), 'GRANTED', 'GRANTED', 'GRANTED'],
  [
    'asks for retries until they are used up',
    read(() => NonceOutcome.retry()),
    'GRANTED',
    'GRANTED',
    'GRANTED',
  ],
  [
    'throws a retryable error until retries are used up',
    read(throwing(() => new RetryableNonceError())),
    'GRANTED',
    'GRANTED',
    'GRANTED',
  ],
  ['throws before it read the nonce', throwing(timeout), 'REUSABLE', 'REUSABLE', 'REUSABLE'],
  [
    'throws an error that cannot come from a send',
    read(throwing(business)),
    'REUSABLE',
    'REUSABLE',
    'QUARANTINED',
  ],
  [
    'throws an error that may come from a send',
    read(throwing(timeout)),
    'REUSABLE',
    'QUARANTINED',
    'QUARANTINED',
  ],
  [
    'says that nothing was broadcast, then throws a timeout',
    read((ctx) => {
      ctx.notBroadcast();
      throw timeout();
    }),
    'REUSABLE',
    'REUSABLE',
    'REUSABLE',
  ],
  [
    'throws a business error after its intent',
    async (ctx) => {
      await ctx.intent({ txHash: HASH });
      throw business();
    },
    'INTENT',
    'INTENT',
    'INTENT',
  ],
  [
    'fails by its own word after its intent',
    async (ctx) => {
      await ctx.intent({ txHash: HASH });
      return NonceOutcome.fail('changed my mind');
    },
    'INTENT',
    'INTENT',
    'INTENT',
  ],
  [
    'says that nothing was broadcast after its intent',
    async (ctx) => {
      await ctx.intent({ txHash: HASH });
      ctx.notBroadcast();
      throw business();
    },
    'INTENT',
    'INTENT',
    'INTENT',
  ],
  [
    'sends through the context, then throws',
    async (ctx, world) => {
      await ctx.send(world.sign(ctx.nonce, 'pay').rawTx);
      throw business();
    },
    'BROADCAST',
    'BROADCAST',
    'BROADCAST',
  ],
  [
    'sends through the context and the reply is lost',
    (ctx, world) => {
      world.chain.failNextSend('reply-lost');
      return ctx.send(world.sign(ctx.nonce, 'pay').rawTx);
    },
    'INTENT',
    'INTENT',
    'INTENT',
  ],
  [
    'cannot sign, before the intent',
    (ctx) => ctx.send('0x00' as const),
    'REUSABLE',
    'REUSABLE',
    'REUSABLE',
  ],
  [
    'asks for a retry after a timeout and then throws a business error',
    read((ctx) => {
      if (ctx.attempt === 1) throw new RetryableNonceError('again', { cause: timeout() });
      throw business();
    }),
    'REUSABLE',
    'QUARANTINED',
    'QUARANTINED',
  ],
  [
    'asks for a retry because of a business error and then throws one',
    read((ctx) => {
      if (ctx.attempt === 1) throw new RetryableNonceError('again', { cause: business() });
      throw business();
    }),
    'REUSABLE',
    'REUSABLE',
    'QUARANTINED',
  ],
];

const ROWS = TABLE.flatMap(([end, handler, ...stages]) =>
  EXPOSURES.map((exposure, index): [Exposure, string, End, string] => [
    exposure,
    end,
    handler,
    stages[index] ?? '',
  ]),
);

describe('the nonce of a handler', () => {
  it.each(ROWS)('that is %s and %s', async (exposure, _, handler, stage) => {
    const world = templateWorld();
    const call = world.template.execute(SUBMITTER, async (ctx) => handler(ctx, world), {
      exposure,
    });
    const rejection: unknown = await call.then(
      () => ({ code: 'none' }),
      (error: unknown) => error,
    );
    const resolved = (rejection as { code?: string }).code === 'none';
    expect(world.stageOf(0)).toBe(stage);
    const unknown =
      ['INTENT', 'QUARANTINED'].includes(stage) || (stage === 'BROADCAST' && !resolved);
    if (unknown)
      expect(rejection).toMatchObject({
        code: 'NONCE_OUTCOME_UNKNOWN',
        allocationId: expect.any(String),
      });
    else expect(rejection).not.toMatchObject({ code: 'NONCE_OUTCOME_UNKNOWN' });
  });
});
