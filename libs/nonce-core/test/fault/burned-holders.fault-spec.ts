import { join } from 'node:path';
import type { Submitter } from '../../src/domain/submitter';
import { burnSignerOf } from '../support/burn-signer';
import { NodeProcess } from '../support/node-process';
import { baselineOf, hashOf, openStore, type StoreFixture } from '../support/store-fixture';
import { startTestChain, type TestChain } from '../support/test-chain';
import { waitFor } from '../support/wait-for';
import { readLedger } from './ledger';
import type { HolderMessage, HolderOrder } from './nodes/holder-node';
import { openNode, type NodeOptions, type OpenNode } from './nodes/open-node';
import { executionsOf, signTransfer, transactionCount, type SignedTransfer } from './transfers';

const SCRIPT = join(__dirname, 'nodes/holder-node.ts');
const TTL_MS = 1_000;

let fixture: StoreFixture;
let chain: TestChain;
/** Does the work of a worker, and has the keys to burn with. */
let worker: OpenNode;

beforeAll(async () => {
  [fixture, chain] = await Promise.all([openStore(null), startTestChain({ noMining: true })]);
  const burnSigner = burnSignerOf(chain, [1, 2, 3]);
  worker = await openNode({ ...nodeOptions(), sweepIntervalMs: 50, burnSigner });
});
afterAll(async () => {
  await worker.close();
  await Promise.all([fixture.close(), chain.close()]);
});

function nodeOptions(): NodeOptions {
  const { url, schema } = fixture.database;
  const settings = { confirmations: 0, reorgDepth: 1, pollIntervalMs: 50 };
  return {
    databaseUrl: url,
    schema,
    chains: { [chain.chainId]: { rpcUrls: [chain.rpcUrl], ...settings } },
    quarantine: { ms: 200, release: 'burn' },
  };
}

async function submitterOf(account: number): Promise<Submitter> {
  const address = chain.account(account).address.toLowerCase();
  const submitter = `eip155:${chain.chainId}:${address}` as Submitter;
  await fixture.store.open(baselineOf(submitter, { chainLatestCount: 0 }));
  return submitter;
}

function startHolder(order: Pick<HolderOrder, 'submitter'> & Partial<HolderOrder>) {
  const defaults = { ttlMs: TTL_MS, exposure: 'declared', clockShiftMs: 0 } as const;
  const transfer = { rawTx: '0x00', txHash: hashOf(7) } as const;
  const whole: HolderOrder = { node: nodeOptions(), transfer, rpcUrl: null, ...defaults, ...order };
  return NodeProcess.start<HolderMessage>(SCRIPT, { parameters: [JSON.stringify(whole)] });
}

type Said<Kind extends HolderMessage['kind']> = Extract<HolderMessage, { kind: Kind }>;

async function hear<Kind extends HolderMessage['kind']>(
  holder: NodeProcess<HolderMessage>,
  kind: Kind,
): Promise<Said<Kind>> {
  return (await holder.message((each) => each.kind === kind, kind)) as Said<Kind>;
}

async function rowReaches(submitter: Submitter, stages: readonly string[]) {
  return waitFor(
    async () => {
      const [row] = (await readLedger(fixture.database.pool, submitter)).rows;
      return row !== undefined && stages.includes(row.stage) ? row : undefined;
    },
    { describe: `nonce 0 to be ${stages.join(' or ')}` },
  );
}

/** A burn is recorded before it is sent: what follows is about one that a node has. */
async function pooled(txHash: unknown): Promise<void> {
  await waitFor(
    async () => (await chain.server.rpc('eth_getTransactionByHash', [txHash])) !== null,
    { describe: 'the burn to be in the pool' },
  );
}

/** Stopped between its intent, which names the hash alone, and its send, until it is burned. */
async function burnSleeper(submitter: Submitter, transfer: SignedTransfer) {
  const holder = startHolder({ submitter, transfer, rpcUrl: chain.rpcUrl });
  await hear(holder, 'holds');
  holder.send('write the intent');
  expect(await hear(holder, 'intent')).toMatchObject({ answer: 'written' });
  holder.pause();
  const burning = await rowReaches(submitter, ['BURNING']);
  expect(burning.hashes[0]).toBe(transfer.txHash);
  expect(burning.hashes).toHaveLength(2);
  await pooled(burning.hashes[1]);
  return holder;
}

describe('a holder that sleeps while its nonce is burned', () => {
  it('H-21: and sends when the burn is mined, is refused by the chain and told so', async () => {
    const submitter = await submitterOf(1);
    const base = { chainId: chain.chainId, account: 1, nonce: 0 };
    const late = await signTransfer({ ...base, amount: 78_001 });
    const holder = await burnSleeper(submitter, late);
    await chain.mine();
    holder.resume();
    holder.send('send');
    expect((await hear(holder, 'sent')).answer).toMatch(/nonce too low/i);
    expect(await hear(holder, 'ended')).toMatchObject({ answer: 'NONCE_OUTCOME_UNKNOWN' });
    await holder.ended;
    await chain.mine(3);
    const row = await rowReaches(submitter, ['BURNT']);
    expect(row.hashes).toHaveLength(2);
    expect(row.hashes).toContain(late.txHash);
    expect(await executionsOf(chain, 78_001)).toBe(0);
    expect(await transactionCount(chain, 1)).toBe(1);
  });

  it('H-21: and outbids the burn that waits in a pool, has the only transaction that mines', async () => {
    const submitter = await submitterOf(2);
    const base = { chainId: chain.chainId, account: 2, nonce: 0 };
    const late = await signTransfer({ ...base, amount: 78_002, priorityFeeGwei: 40 });
    const holder = await burnSleeper(submitter, late);
    holder.resume();
    holder.send('send');
    expect((await hear(holder, 'sent')).answer).toBe(late.txHash);
    expect(await hear(holder, 'ended')).toMatchObject({ answer: 'NONCE_OUTCOME_UNKNOWN' });
    await holder.ended;
    await chain.mine(4);
    const row = await rowReaches(submitter, ['FINAL']);
    expect(row.hashes).toHaveLength(2);
    expect(row.hashes[0]).toBe(late.txHash);
    expect(await executionsOf(chain, 78_002)).toBe(1);
    expect(await transactionCount(chain, 2)).toBe(1);
  });

  it('I-31, S16: and wakes before its intent, is fenced and sends nothing', async () => {
    const submitter = await submitterOf(3);
    const holder = startHolder({ submitter, exposure: 'inferred' });
    await hear(holder, 'holds');
    holder.pause();
    const burning = await rowReaches(submitter, ['BURNING']);
    expect(burning.hashes).toHaveLength(1);
    holder.resume();
    holder.send('write the intent');
    expect(await hear(holder, 'intent')).toMatchObject({ nonce: 0, answer: 'NONCE_FENCED' });
    await holder.kill();
    await chain.mine(4);
    const row = await rowReaches(submitter, ['BURNT']);
    expect(row.hashes).toEqual(burning.hashes);
  });
});
