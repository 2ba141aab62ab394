import { createWalletClient, http } from 'viem';
import { anvil } from 'viem/chains';
import { EXPOSURES, type Exposure } from '../../src/domain/allocation';
import { NonceOutcome } from '../../src/domain/nonce-outcome';
import type { NonceContext } from '../../src/template/nonce-context';
import type { Submitter } from '../../src/domain/submitter';
import { openStore, type StoreFixture } from '../support/store-fixture';
import { startTestChain, type TestChain } from '../support/test-chain';
import { waitFor } from '../support/wait-for';
import { expectPartition, readLedger } from './ledger';
import { LossyRpc } from './lossy-rpc';
import { openNode, type NodeOptions, type OpenNode } from './nodes/open-node';
import { executionsOf, signTransfer, transactionCount } from './transfers';

const QUARANTINE = { ms: 1_000, release: 'replacement' } as const;
/** How long the handlers' own clients wait for a node. */
const CLIENT_TIMEOUT_MS = 200;
const FIRST_AMOUNT = 550_000;

let fixture: StoreFixture;
let chain: TestChain;
let rpc: LossyRpc;
let node: OpenNode;
let worker: OpenNode;
let lastAccount = 0;

beforeAll(async () => {
  [fixture, chain] = await Promise.all([
    openStore(null),
    startTestChain({ noMining: true, accounts: 20 }),
  ]);
  rpc = await LossyRpc.start(chain.rpcUrl);
  node = await openNode(nodeOptions(rpc.url));
  worker = await openNode({ ...nodeOptions(chain.rpcUrl), sweepIntervalMs: 100 });
});
afterAll(async () => {
  await rpc.close();
  await Promise.all([node.close(), worker.close()]);
  await Promise.all([fixture.close(), chain.close()]);
});

function nodeOptions(rpcUrl: string): NodeOptions {
  const { url: databaseUrl, schema } = fixture.database;
  const settings = { rpcUrls: [rpcUrl], confirmations: 1, pollIntervalMs: 50 };
  return { databaseUrl, schema, chains: { [chain.chainId]: settings }, quarantine: QUARANTINE };
}

interface Payment {
  readonly account: number;
  readonly amount: number;
  readonly submitter: Submitter;
}

/** Work of a wallet of its own, found in the chain by its amount. */
function newPayment(): Payment {
  lastAccount += 1;
  const { address } = chain.account(lastAccount);
  return {
    account: lastAccount,
    amount: FIRST_AMOUNT + lastAccount,
    submitter: `eip155:${chain.chainId}:${address.toLowerCase()}` as Submitter,
  };
}

async function sign({ account, amount }: Payment, nonce: number) {
  return signTransfer({ chainId: chain.chainId, account, amount, nonce });
}

const ledgerOf = ({ submitter }: Payment) => readLedger(fixture.database.pool, submitter);

/** Mines until the payment is in the chain, and a while longer; then it must be there once. */
async function expectMinedOnce(payment: Payment): Promise<void> {
  await waitFor(
    async () => {
      await chain.mine();
      return (await transactionCount(chain, payment.account)) > 0;
    },
    { describe: 'the payment to be mined', everyMs: 100 },
  );
  await chain.mine(3);
  expect(await executionsOf(chain, payment.amount)).toBe(1);
  expectPartition(await ledgerOf(payment));
}

/** The ways in which a handler sends and hears nothing, for each exposure it may have. */
type Send = (payment: Payment, ctx: NonceContext) => Promise<unknown>;

const throughTheContext: Send = async (payment, ctx) =>
  ctx.send((await sign(payment, ctx.nonce)).rawTx);

const throughItsOwnClient: Send = async (payment, ctx) => {
  const wallet = createWalletClient({
    account: chain.account(payment.account),
    chain: anvil,
    transport: http(rpc.url, { retryCount: 0, timeout: CLIENT_TIMEOUT_MS }),
  });
  const { rawTx } = await sign(payment, ctx.nonce);
  return wallet.sendRawTransaction({ serializedTransaction: rawTx });
};

const throughFetch: Send = async (payment, ctx) => {
  const { rawTx } = await sign(payment, ctx.nonce);
  const body = { jsonrpc: '2.0', id: 1, method: 'eth_sendRawTransaction', params: [rawTx] };
  await fetch(rpc.url, {
    method: 'POST',
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(CLIENT_TIMEOUT_MS),
  });
};

/** Hides what went wrong: only `assumed` may be used with a handler like this. */
const throughSilence: Send = async (payment, ctx) => {
  await throughFetch(payment, ctx).catch(() => undefined);
  throw new Error('the payment did not work');
};

const HANDLERS: readonly (readonly [Exposure, string, Send])[] = [
  ['declared', 'ctx.send', throughTheContext],
  ['inferred', 'ctx.send', throughTheContext],
  ['inferred', 'a viem client', throughItsOwnClient],
  ['inferred', 'fetch', throughFetch],
  ['assumed', 'fetch', throughFetch],
  ['assumed', 'a client that hides its errors', throughSilence],
];

describe('I-01, H-7: a handler that sends and then hears nothing', () => {
  beforeAll(() => {
    rpc.fate = 'hang';
  });
  afterAll(() => {
    rpc.fate = 'pass';
  });

  it('is looked at with every exposure there is', () => {
    expect(new Set(HANDLERS.map(([exposure]) => exposure))).toEqual(new Set(EXPOSURES));
  });

  it.each(HANDLERS)(
    '%s, by %s: the outcome is unknown, its nonce is never issued clean, and it mines once',
    async (exposure, _, send) => {
      const payment = newPayment();
      const operation = { exposure, operationId: 'payment' };
      const delivered = rpc.delivered;
      const work = node.nonces.withNonce(payment.submitter, (ctx) => send(payment, ctx), operation);
      await expect(work).rejects.toMatchObject({
        code: 'NONCE_OUTCOME_UNKNOWN',
        context: { nonce: 0 },
      });
      expect(rpc.delivered - delivered).toBeGreaterThan(0);

      const [next] = await node.nonces.allocate(payment.submitter);
      expect(next).toMatchObject({ nonce: 1, source: 'fresh' });
      // The caller repeats its payment: it is not run on another nonce while the first may mine.
      let ran = false;
      const again = node.nonces.withNonce(payment.submitter, async () => (ran = true), operation);
      await expect(again).rejects.toMatchObject({ code: 'NONCE_OUTCOME_UNKNOWN' });
      expect(ran).toBe(false);

      await expectMinedOnce(payment);
      expect(await transactionCount(chain, payment.account)).toBe(1);
      const { rows } = await ledgerOf(payment);
      expect(['REUSABLE', 'GRANTED']).not.toContain(rows[0]?.stage);
    },
  );
});

describe('I-01: a send that the node never got', () => {
  it('is sent by a worker, under the same bytes, and mines once', async () => {
    rpc.fate = 'drop';
    const payment = newPayment();
    const work = node.nonces.withNonce(
      payment.submitter,
      (ctx) => throughTheContext(payment, ctx),
      { exposure: 'declared', operationId: 'payment', ttlMs: 1_000 },
    );
    await expect(work).rejects.toMatchObject({ code: 'NONCE_OUTCOME_UNKNOWN' });
    rpc.fate = 'pass';
    await expectMinedOnce(payment);
    const { txHash } = await sign(payment, 0);
    expect((await ledgerOf(payment)).rows[0]).toMatchObject({ hashes: [txHash] });
  });

  it('of a handler without intents is replaced at its nonce, where one of the two can mine', async () => {
    rpc.fate = 'drop';
    const payment = newPayment();
    const work = node.nonces.withNonce(
      payment.submitter,
      (ctx) => throughItsOwnClient(payment, ctx),
      { exposure: 'inferred' },
    );
    await expect(work).rejects.toMatchObject({ code: 'NONCE_OUTCOME_UNKNOWN' });
    rpc.fate = 'pass';
    // Until its quarantine ends others get other nonces; then it comes first, and says what it is.
    const sources: string[] = [];
    const replacement = await waitFor(
      async () => {
        const done = await node.nonces.execute(payment.submitter, async (ctx) => {
          sources.push(ctx.source);
          if (ctx.source !== 'replacement') return NonceOutcome.keep('not this one');
          expect(ctx.replacement).toBeDefined();
          await throughTheContext(payment, ctx);
          return undefined;
        });
        return done.source === 'replacement' ? done : undefined;
      },
      { describe: 'the nonce to be issued as a replacement', everyMs: 100 },
    );
    expect(replacement.nonce).toBe(0);
    expect(sources.slice(0, -1)).not.toContain('replacement');
    await expectMinedOnce(payment);
  });
});
