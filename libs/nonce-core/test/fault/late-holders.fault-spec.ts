import { join } from 'node:path';
import type { Allocation } from '../../src/domain/allocation';
import type { Submitter } from '../../src/domain/submitter';
import { NodeProcess } from '../support/node-process';
import {
  baselineOf,
  hashOf,
  newSubmitter,
  openStore,
  type StoreFixture,
} from '../support/store-fixture';
import { startTestChain, type TestChain } from '../support/test-chain';
import { waitFor } from '../support/wait-for';
import { expectPartition, readLedger } from './ledger';
import type { HolderMessage, HolderOrder } from './nodes/holder-node';
import { openNode, type NodeOptions, type OpenNode } from './nodes/open-node';
import { executionsOf, sendRaw, signTransfer, transactionCount } from './transfers';

const SCRIPT = join(__dirname, 'nodes/holder-node.ts');
const TTL_MS = 1_000;
const TEN_MINUTES_MS = 600_000;
const UNSENT = { rawTx: '0x00', txHash: hashOf(7) } as const;

let fixture: StoreFixture;
let chain: TestChain;
let other: OpenNode;

beforeAll(async () => {
  [fixture, chain] = await Promise.all([openStore(null), startTestChain({ noMining: true })]);
  // The node of somebody else, which also does the work of a worker.
  other = await openNode({ ...nodeOptions(), sweepIntervalMs: 50 });
});
afterAll(async () => {
  await other.close();
  await Promise.all([fixture.close(), chain.close()]);
});

function nodeOptions(): NodeOptions {
  const { url, schema } = fixture.database;
  return {
    databaseUrl: url,
    schema,
    chains: {
      [chain.chainId]: { rpcUrls: [chain.rpcUrl], confirmations: 0, pollIntervalMs: 50 },
    },
    quarantine: { ms: 200, release: 'replacement' },
  };
}

function startHolder(
  submitter: Submitter,
  overrides: Partial<HolderOrder> = {},
): NodeProcess<HolderMessage> {
  const order: HolderOrder = {
    node: nodeOptions(),
    submitter,
    ttlMs: TTL_MS,
    exposure: 'declared',
    clockShiftMs: 0,
    transfer: UNSENT,
    rpcUrl: null,
    ...overrides,
  };
  return NodeProcess.start<HolderMessage>(SCRIPT, { parameters: [JSON.stringify(order)] });
}

type Said<Kind extends HolderMessage['kind']> = Extract<HolderMessage, { kind: Kind }>;

async function hear<Kind extends HolderMessage['kind']>(
  holder: NodeProcess<HolderMessage>,
  kind: Kind,
  fits: (message: Said<Kind>) => boolean = () => true,
): Promise<Said<Kind>> {
  const message = await holder.message(
    (each) => each.kind === kind && fits(each as Said<Kind>),
    kind,
  );
  return message as Said<Kind>;
}

/** Asks until that nonce is issued; what else is issued meanwhile is given back at the end. */
async function takeOver(submitter: Submitter, nonce: number): Promise<Allocation> {
  const others: Allocation[] = [];
  const taken = await waitFor(
    async () => {
      const [allocation] = await other.nonces.allocate(submitter);
      if (allocation?.nonce === nonce) return allocation;
      if (allocation !== undefined) others.push(allocation);
      return undefined;
    },
    { describe: `nonce ${nonce} to be issued again`, everyMs: 50 },
  );
  for (const each of others) await other.nonces.markRecyclable(each, { reason: 'not wanted' });
  return taken;
}

describe('a holder that stood still for longer than its deadline', () => {
  it.each([-TEN_MINUTES_MS, TEN_MINUTES_MS])(
    'I-24, I-26: is fenced when it wakes, and goes on with another nonce (clock off by %d ms)',
    async (clockShiftMs) => {
      const submitter = newSubmitter();
      await fixture.store.open(baselineOf(submitter));
      const holder = startHolder(submitter, { clockShiftMs });
      const held = await hear(holder, 'holds');
      expect(held.nonce).toBe(0);
      holder.pause();
      const rival = await takeOver(submitter, 0);
      expect(rival.source).toBe('recycled');
      await other.nonces.intent(rival, { txHash: hashOf(1) });
      holder.resume();
      holder.send('write the intent');
      expect(await hear(holder, 'intent')).toMatchObject({ nonce: 0, answer: 'NONCE_FENCED' });
      const again = await hear(holder, 'holds', (message) => message.id !== held.id);
      expect(again.nonce).toBe(1);
      holder.send('write the intent');
      expect(await hear(holder, 'ended')).toMatchObject({ answer: 'done', nonce: 1 });
      await holder.ended;
      const ledger = await readLedger(fixture.database.pool, submitter);
      expectPartition(ledger);
      expect(ledger.rows[0]).toMatchObject({ id: rival.id, hashes: [hashOf(1)] });
    },
  );

  it('S3: that might have sent is replaced, never followed clean, and fenced when it wakes', async () => {
    const submitter = newSubmitter();
    await fixture.store.open(baselineOf(submitter));
    const holder = startHolder(submitter, { exposure: 'inferred' });
    await hear(holder, 'holds');
    holder.pause();
    const rival = await takeOver(submitter, 0);
    expect(rival.source).toBe('replacement');
    await other.nonces.intent(rival, { txHash: hashOf(2) });
    holder.resume();
    holder.send('write the intent');
    expect(await hear(holder, 'intent')).toMatchObject({ nonce: 0, answer: 'NONCE_FENCED' });
    await holder.kill();
    expectPartition(await readLedger(fixture.database.pool, submitter));
  });

  it('H-21: between intent and send is replaced at its nonce; one of the two mines, the loser is told', async () => {
    const account = 1;
    const submitter =
      `eip155:${chain.chainId}:${chain.account(account).address.toLowerCase()}` as Submitter;
    const [first, second] = [77_001, 77_002];
    const base = { chainId: chain.chainId, account, nonce: 0 };
    const late = await signTransfer({ ...base, amount: first });
    const holder = startHolder(submitter, { transfer: late, rpcUrl: chain.rpcUrl });
    await hear(holder, 'holds');
    holder.send('write the intent');
    await hear(holder, 'intent');
    holder.pause();
    const replacement = await takeOver(submitter, 0);
    expect(replacement).toMatchObject({ source: 'replacement', hashes: [late.txHash] });
    const winner = await signTransfer({ ...base, amount: second, priorityFeeGwei: 5 });
    await other.nonces.intent(replacement, winner);
    await sendRaw(chain.rpcUrl, winner.rawTx);
    await other.nonces.markSubmitted(replacement, { txHash: winner.txHash });
    holder.resume();
    holder.send('send');
    await hear(holder, 'sent');
    expect(await hear(holder, 'ended')).toMatchObject({ answer: 'NONCE_OUTCOME_UNKNOWN' });
    await holder.ended;
    await chain.mine();
    await waitFor(
      async () => {
        const { rows } = await readLedger(fixture.database.pool, submitter);
        return rows[0]?.stage === 'MINED' || rows[0]?.stage === 'CONFIRMED';
      },
      { describe: 'the receipt to be recorded' },
    );
    const executions = [await executionsOf(chain, first), await executionsOf(chain, second)];
    expect(executions).toEqual([0, 1]);
    expect(await transactionCount(chain, account)).toBe(1);
    const { rows } = await readLedger(fixture.database.pool, submitter);
    expect(rows[0]).toMatchObject({ nonce: 0, hashes: [late.txHash, winner.txHash] });
  });
});
