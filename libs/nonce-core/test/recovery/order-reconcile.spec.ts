import { NonceError } from '../../src/domain/errors/nonce-error';
import type { Submitter } from '../../src/domain/submitter';
import { OrderReconcile, FAILURES_UNTIL_ORDERED } from '../../src/recovery/order-reconcile';
import { FakeClock } from '../../src/testing/fake-clock';

const SUBMITTER = `eip155:1:0x${'ab'.repeat(20)}` as Submitter;
const quiet = () => undefined;

function subject({ auto = true }: { readonly auto?: boolean } = {}) {
  const clock = new FakeClock();
  const ordered: string[] = [];
  let answer: number | NonceError = 0;
  let refusal: NonceError | null = null;
  const order = new OrderReconcile(
    {
      alignment: {
        alignWithChain: (submitter) => {
          if (answer instanceof NonceError) return Promise.reject(answer);
          const report = { submitter, foreignUse: answer, chainLatest: answer };
          return Promise.resolve({ ...report, lastChainNonce: null, fenced: 0, finalized: 0 });
        },
      },
      reconcile: {
        begin: ({ scope }) => {
          if (refusal !== null) return Promise.reject(refusal);
          ordered.push(scope);
          return Promise.resolve({ id: 'r' } as never);
        },
      },
      clock,
      logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    },
    { auto, floorLagThreshold: 64 },
  );
  return {
    ...{ clock, ordered },
    refuse: (error: NonceError | null) => (refusal = error),
    align: (next: number | NonceError) => {
      answer = next;
      return order.alignWithChain(SUBMITTER).catch((error: unknown) => error);
    },
  };
}

const UNREACHABLE = new NonceError('NONCE_CHAIN_UNREACHABLE');

it('orders all when a counter is far behind its chain, from the threshold on', async () => {
  const { align, ordered } = subject();
  await align(63);
  expect(ordered).toEqual([]);
  await align(64);
  expect(ordered).toEqual(['all']);
});

it('orders the hot ones when alignments keep failing, and passes each failure on', async () => {
  const { align, ordered } = subject();
  for (let failure = 1; failure < FAILURES_UNTIL_ORDERED; failure += 1) {
    expect(await align(UNREACHABLE)).toBe(UNREACHABLE);
  }
  await align(0);
  for (let failure = 1; failure < FAILURES_UNTIL_ORDERED; failure += 1) await align(UNREACHABLE);
  expect(ordered).toEqual([]);
  await align(UNREACHABLE);
  expect(ordered).toEqual(['hot']);
});

it('waits ten minutes before the next, unless the order itself failed', async () => {
  const { align, ordered, clock, refuse } = subject();
  refuse(new NonceError('NONCE_STORE_UNAVAILABLE'));
  await align(100);
  refuse(null);
  await align(100);
  await align(100);
  expect(ordered).toEqual(['all']);
  await clock.advance(600_000);
  await align(100);
  expect(ordered).toEqual(['all', 'all']);
});

it('orders nothing beside one that runs, and nothing where it is switched off', async () => {
  const running = subject();
  running.refuse(new NonceError('NONCE_PRECONDITION'));
  await running.align(100);
  running.refuse(null);
  await running.align(100);
  expect(running.ordered).toEqual([]);
  const off = subject({ auto: false });
  await off.align(100);
  expect(off.ordered).toEqual([]);
});
