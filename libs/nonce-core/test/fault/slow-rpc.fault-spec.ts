import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mnemonicToAccount } from 'viem/accounts';
import { isNonceError } from '../../src/domain/errors/nonce-error';
import { parseSubmitter, type Submitter } from '../../src/domain/submitter';
import { DEVELOPMENT_MNEMONIC } from '../../../../tools/src/stack/index';
import { baselineOf, newSubmitter, openStore, type StoreFixture } from '../support/store-fixture';
import { waitFor } from '../support/wait-for';
import { expectPartition, range, readLedger } from './ledger';
import { openNode, type OpenNode } from './nodes/open-node';
import { signTransfer } from './transfers';

const SLOW_CHAIN_ID = 424_242;
const POOL_SIZE = 2;
const CALLERS = 50;
const ALLOCATED_WITHIN_MS = 2_000;

/** A node that takes a request and says nothing for longer than any test lasts. */
class SilentRpc {
  asked = 0;
  private readonly server: Server = createServer(() => {
    this.asked += 1;
  });

  async start(): Promise<string> {
    await new Promise<void>((listening) => this.server.listen(0, '127.0.0.1', listening));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }
}

let fixture: StoreFixture;
let rpc: SilentRpc;
let node: OpenNode;

beforeAll(async () => {
  fixture = await openStore(null);
  rpc = new SilentRpc();
  const { url: databaseUrl, schema } = fixture.database;
  const rpcUrls = [await rpc.start()];
  node = await openNode({
    databaseUrl,
    schema,
    poolSize: POOL_SIZE,
    chains: { [SLOW_CHAIN_ID]: { rpcUrls } },
  });
});
afterAll(async () => {
  await rpc.close();
  await node.close();
  await fixture.close();
});

async function openSubmitter(submitter = newSubmitter(SLOW_CHAIN_ID)): Promise<Submitter> {
  await fixture.store.open(baselineOf(submitter, { chainLatestCount: 0 }));
  return submitter;
}

/** All callers at once; the nonces they got, and how long the last one waited. */
async function allocateAll(
  submitters: readonly Submitter[],
): Promise<{ nonces: number[]; tookMs: number }> {
  const startedAtMs = performance.now();
  const calls = Array.from({ length: CALLERS }, (_, caller) =>
    node.nonces.allocate(submitters[caller % submitters.length] ?? ''),
  );
  const granted = (await Promise.all(calls)).flat();
  const nonces = granted.map((each) => each.nonce as number).sort((a, b) => a - b);
  return { nonces, tookMs: performance.now() - startedAtMs };
}

describe(`I-29: ${CALLERS} callers, a pool of ${POOL_SIZE}, and an RPC that does not answer`, () => {
  it('all allocations of an open submitter end in time', async () => {
    const submitter = await openSubmitter();
    const { nonces, tookMs } = await allocateAll([submitter]);
    expect(nonces).toEqual(range(0, CALLERS));
    expect(tookMs).toBeLessThan(ALLOCATED_WITHIN_MS);
    expectPartition(await readLedger(fixture.database.pool, submitter));
  });

  it('two new submitters, whose counts nobody tells, keep no other waiting', async () => {
    const newcomers = [newSubmitter(SLOW_CHAIN_ID), newSubmitter(SLOW_CHAIN_ID)];
    const asked = rpc.asked;
    const waiting = newcomers.map((each) =>
      node.nonces.allocate(each).catch((error: unknown) => error),
    );
    await waitFor(() => rpc.asked > asked, { describe: 'their chain to be asked' });
    const others = [await openSubmitter(), await openSubmitter()];
    const { tookMs } = await allocateAll(others);
    expect(tookMs).toBeLessThan(ALLOCATED_WITHIN_MS);
    for (const other of others) expectPartition(await readLedger(fixture.database.pool, other));
    const codes = (await Promise.all(waiting)).map((error) => isNonceError(error) && error.code);
    expect(codes).toEqual(['NONCE_CHAIN_UNREACHABLE', 'NONCE_CHAIN_UNREACHABLE']);
    for (const each of newcomers) {
      expect((await readLedger(fixture.database.pool, each)).rows).toEqual([]);
    }
  });

  it('handlers that wait for their sends hold no connection that an allocation needs', async () => {
    const { address } = mnemonicToAccount(DEVELOPMENT_MNEMONIC, { addressIndex: 0 });
    const sending = await openSubmitter(parseSubmitter({ chainId: SLOW_CHAIN_ID, address }));
    const other = await openSubmitter();
    const sends = Array.from({ length: CALLERS }, () =>
      node.nonces
        .withNonce(
          sending,
          async (ctx) => {
            const base = { chainId: SLOW_CHAIN_ID, account: 0, amount: 1 };
            await ctx.send((await signTransfer({ ...base, nonce: ctx.nonce })).rawTx);
          },
          { exposure: 'declared' },
        )
        .catch((error: unknown) => error),
    );
    await waitFor(async () => (await inSend(sending)) === CALLERS, {
      describe: 'all handlers to have written their intents',
    });
    const { nonces, tookMs } = await allocateAll([other]);
    expect(nonces).toEqual(range(0, CALLERS));
    expect(tookMs).toBeLessThan(ALLOCATED_WITHIN_MS);
    const ends = (await Promise.all(sends)).map((error) => isNonceError(error) && error.code);
    expect(new Set(ends)).toEqual(new Set(['NONCE_OUTCOME_UNKNOWN']));
    expectPartition(await readLedger(fixture.database.pool, sending));
  });
});

async function inSend(submitter: Submitter): Promise<number> {
  const { rows } = await readLedger(fixture.database.pool, submitter);
  return rows.filter((row) => row.stage === 'INTENT').length;
}
