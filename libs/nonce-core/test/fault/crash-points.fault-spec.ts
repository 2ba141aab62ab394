import { join } from 'node:path';
import type { Submitter } from '../../src/domain/submitter';
import { isNonceError } from '../../src/domain/errors/nonce-error';
import { findFreePort } from '../../../../tools/src/stack/index';
import { NodeProcess } from '../support/node-process';
import { baselineOf, openStore, type StoreFixture } from '../support/store-fixture';
import { startTestChain, type TestChain } from '../support/test-chain';
import { waitFor } from '../support/wait-for';
import { expectPartition, readLedger, type LedgerRow } from './ledger';
import { LossyRpc } from './lossy-rpc';
import type { CrashMessage, CrashOrder } from './nodes/crashing-node';
import { openNode, type NodeOptions, type OpenNode } from './nodes/open-node';
import { executionsOf, signTransfer, transactionCount, type SignedTransfer } from './transfers';

const CRASHING_NODE = join(__dirname, 'nodes/crashing-node.ts');
const WORKER = join(__dirname, '../../../../apps/flush-worker/src/main.ts');
const QUARANTINE = { ms: 300, release: 'replacement' } as const;
/** Long enough for a caller to come back, short enough to wait for. */
const TTL_MS = 1_500;
const FOR_EVER_MS = 600_000;
/** A dozen processes start at once; on two busy cores that takes a while. */
const START_TIMEOUT_MS = 60_000;
/** Deadlines, polls and receipts pass within seconds. */
const RECOVERED_WITHIN_MS = 20_000;
/** Wei of the first case; each case has its own amount, by which the chain is asked. */
const FIRST_AMOUNT = 990_000;

type Died = Extract<CrashMessage, { kind: 'dies' }>;

/** One operation of one wallet of its own, whose process dies at one point. */
interface Crash {
  readonly point: CrashOrder['point'];
  readonly account: number;
  readonly operationId: string | null;
  readonly ttlMs: number;
  readonly exposure: CrashOrder['exposure'];
  process: NodeProcess<CrashMessage>;
  died: Died | null;
}

let fixture: StoreFixture;
let chain: TestChain;
/** The node where callers come back. */
let other: OpenNode;
let workers: readonly NodeProcess[] = [];
const proxies: LossyRpc[] = [];
const processes: NodeProcess<CrashMessage>[] = [];

function nodeOptions(rpcUrl = chain.rpcUrl): NodeOptions {
  const { url, schema } = fixture.database;
  return {
    databaseUrl: url,
    schema,
    chains: { [chain.chainId]: { rpcUrls: [rpcUrl], confirmations: 1, pollIntervalMs: 50 } },
    quarantine: QUARANTINE,
    // The test holds a row lock for as long as it takes to kill the process that waits for it.
    sessionTimeouts: false,
  };
}

const submitterOf = ({ account }: Pick<Crash, 'account'>): Submitter =>
  `eip155:${chain.chainId}:${chain.account(account).address.toLowerCase()}` as Submitter;
const amountOf = ({ account }: Pick<Crash, 'account'>): number => FIRST_AMOUNT + account;

let lastAccount = 0;

async function plan(
  point: Crash['point'],
  options: Partial<Pick<Crash, 'operationId' | 'ttlMs' | 'exposure'>> & { rpcUrl?: string } = {},
): Promise<Crash> {
  lastAccount += 1;
  const account = lastAccount;
  const settings = {
    point,
    account,
    operationId: options.operationId ?? null,
    ttlMs: options.ttlMs ?? TTL_MS,
    exposure: options.exposure ?? 'declared',
  } as const;
  const submitter = submitterOf(settings);
  await fixture.store.open(baselineOf(submitter, { chainLatestCount: 0 }));
  const order: CrashOrder = {
    ...settings,
    node: nodeOptions(options.rpcUrl),
    rpcUrl: chain.rpcUrl,
    chainId: chain.chainId,
    submitter,
    amount: amountOf(settings),
  };
  const process = NodeProcess.start<CrashMessage>(CRASHING_NODE, {
    parameters: [JSON.stringify(order)],
  });
  processes.push(process);
  return { ...settings, process, died: null };
}

async function planOnLossyRpc(fate: LossyRpc['fate'], operationId: string): Promise<Crash> {
  const rpc = await LossyRpc.start(chain.rpcUrl);
  proxies.push(rpc);
  rpc.fate = fate;
  const crash = await plan('in-the-send', { operationId, rpcUrl: rpc.url });
  rpc.onSend = () => void crash.process.kill();
  return crash;
}

/** Lets it begin, and waits until it is dead by SIGKILL at its point. */
async function dies(crash: Crash): Promise<void> {
  await crash.process.message((message) => message.kind === 'ready', 'ready');
  crash.process.send('go');
  const { signal } = await crash.process.ended;
  const survived = crash.process.messages.find((message) => message.kind === 'survived');
  expect([signal, survived]).toEqual(['SIGKILL', undefined]);
  crash.died = crash.process.messages.find((message) => message.kind === 'dies') ?? null;
}

/** The caller comes back with the same work, to a node that lives. */
async function comeBack(
  crash: Crash,
): Promise<{ ran: boolean; nonce: number | null; code: string }> {
  let ran = false;
  try {
    const done = await other.nonces.execute(
      submitterOf(crash),
      async (ctx) => {
        ran = true;
        const { chainId } = chain;
        const base = { chainId, account: crash.account, amount: amountOf(crash) };
        return ctx.send((await signTransfer({ ...base, nonce: ctx.nonce })).rawTx);
      },
      {
        exposure: 'declared',
        ...(crash.operationId === null ? {} : { operationId: crash.operationId }),
      },
    );
    return { ran, nonce: done.nonce, code: 'done' };
  } catch (error) {
    if (!isNonceError(error)) throw error;
    return { ran, nonce: null, code: error.code };
  }
}

async function rowOf(crash: Crash, nonce = 0): Promise<LedgerRow | undefined> {
  const { rows } = await readLedger(fixture.database.pool, submitterOf(crash));
  return rows[nonce];
}

async function untilStage(crash: Crash, stages: readonly string[], nonce = 0): Promise<LedgerRow> {
  const found = await waitFor(
    async () => {
      const row = await rowOf(crash, nonce);
      return row !== undefined && stages.includes(row.stage) ? row : undefined;
    },
    {
      describe: `${crash.point}: nonce ${nonce} in stage ${stages.join(' or ')}`,
      timeoutMs: RECOVERED_WITHIN_MS,
    },
  );
  return found;
}

function signedBy(crash: Crash): SignedTransfer {
  const signed = crash.died?.signed;
  if (signed === null || signed === undefined) throw new Error(`${crash.point} signed nothing`);
  return signed;
}

/** The end of every case: the work happened once, at nonce 0, and the store knows it. */
async function expectExecutedOnce(crash: Crash): Promise<void> {
  await waitFor(
    async () => {
      await chain.mine();
      const row = await rowOf(crash);
      return row !== undefined && ['MINED', 'CONFIRMED', 'FINAL'].includes(row.stage);
    },
    {
      describe: `${crash.point}: the receipt to be recorded`,
      everyMs: 100,
      timeoutMs: RECOVERED_WITHIN_MS,
    },
  );
  expect(await executionsOf(chain, amountOf(crash))).toBe(1);
  expect(await transactionCount(chain, crash.account)).toBe(1);
  expectPartition(await readLedger(fixture.database.pool, submitterOf(crash)));
}

/** What comes back with the same operation is told that it is done; nothing runs again. */
async function expectDoneWithoutRunning(crash: Crash): Promise<void> {
  expect(await comeBack(crash)).toEqual({ ran: false, nonce: 0, code: 'done' });
  expect(await executionsOf(chain, amountOf(crash))).toBe(1);
}

/** Resolves once it works. */
async function startWorker(): Promise<NodeProcess> {
  const port = await findFreePort();
  const id = chain.chainId;
  const worker = NodeProcess.start(WORKER, {
    environment: {
      NONCE_DATABASE_URL: fixture.database.url,
      NONCE_CHAINS: String(id),
      [`NONCE_CHAIN_${id}_RPC_URLS`]: chain.rpcUrl,
      [`NONCE_CHAIN_${id}_CONFIRMATIONS`]: '1',
      [`NONCE_CHAIN_${id}_POLL_INTERVAL_MS`]: '50',
      NONCE_QUARANTINE_MS: String(QUARANTINE.ms),
      NONCE_RECLAIM_INTERVAL_MS: '100',
      NONCE_RECONCILE_INTERVAL_MS: '1000',
      NONCE_ADMIN_PORT: String(port),
      LOG_LEVEL: 'warn',
      HOST: '127.0.0.1',
    },
  });
  const url = `http://127.0.0.1:${port}/readyz`;
  await waitFor(
    async () => (await fetch(url, { headers: { connection: 'close' } }).catch(() => null))?.ok,
    { describe: `the worker to be ready:\n${worker.output}`, timeoutMs: START_TIMEOUT_MS },
  );
  return worker;
}

let atK2: Crash;
let backAtK2: Crash;
let inferredAtK2: Crash;
let atK3: Crash;
let atK4: Crash;
let atK5: Crash;
let atK6: Crash;
let atK7: Crash;
let droppedInSend: Crash;
let cutInSend: Crash;
let beforeCommit: Crash;
let afterCommit: Crash;
let afterCommitUnnamed: Crash;

beforeAll(async () => {
  [fixture, chain] = await Promise.all([
    openStore(null),
    startTestChain({ noMining: true, accounts: 20 }),
  ]);
  atK2 = await plan('K2');
  backAtK2 = await plan('K2', { operationId: 'K2', ttlMs: FOR_EVER_MS });
  inferredAtK2 = await plan('K2', { exposure: 'inferred' });
  atK3 = await plan('K3');
  atK4 = await plan('K4', { operationId: 'K4' });
  atK5 = await plan('K5', { operationId: 'K5' });
  atK6 = await plan('K6', { operationId: 'K6' });
  atK7 = await plan('K7', { operationId: 'K7' });
  droppedInSend = await planOnLossyRpc('drop', 'dropped in ctx.send');
  cutInSend = await planOnLossyRpc('reset', 'cut in ctx.send');
  beforeCommit = await plan('in-the-statement', { operationId: 'K0' });
  afterCommit = await plan('in-the-statement', { operationId: 'K1', ttlMs: FOR_EVER_MS });
  afterCommitUnnamed = await plan('in-the-statement');
  other = await openNode(nodeOptions());
  await dies(atK7);
  await Promise.all([
    ...[atK2, backAtK2, inferredAtK2, atK3, atK4, atK5, atK6].map(dies),
    ...[droppedInSend, cutInSend].map(dies),
  ]);
}, START_TIMEOUT_MS);

afterAll(async () => {
  await Promise.all(processes.map((process) => process.kill()));
  await Promise.all(workers.map((worker) => worker.stop()));
  await other.close();
  await Promise.all(proxies.map((proxy) => proxy.close()));
  await Promise.all([fixture.close(), chain.close()]);
});

describe('before any worker has looked', () => {
  it('S4: whoever comes back after an intent is told that the outcome is unknown, and gets no other nonce', async () => {
    for (const crash of [atK4, atK5, atK6, atK7, droppedInSend, cutInSend]) {
      const back = await comeBack(crash);
      expect(back).toEqual({ ran: false, nonce: null, code: 'NONCE_OUTCOME_UNKNOWN' });
      const { rows, next } = await readLedger(fixture.database.pool, submitterOf(crash));
      expect(next).toBe(1);
      expect(rows[0]).toMatchObject({ stage: 'INTENT', hashes: [signedBy(crash).txHash] });
    }
    expect(await transactionCount(chain, atK7.account)).toBe(1);
    expect(await transactionCount(chain, atK4.account)).toBe(0);
  });

  it('K2: whoever comes back before the deadline gets the same nonce', async () => {
    expect(await rowOf(backAtK2)).toMatchObject({ stage: 'GRANTED', id: backAtK2.died?.id });
    expect(await comeBack(backAtK2)).toEqual({ ran: true, nonce: 0, code: 'done' });
  });
});

describe('with two workers', () => {
  beforeAll(async () => {
    workers = await Promise.all([startWorker(), startWorker()]);
  }, START_TIMEOUT_MS);

  it('K4, K5, K6: died around its send: the stored bytes are sent again or found in the pool', async () => {
    for (const crash of [atK4, atK5, atK6, droppedInSend, cutInSend]) {
      const row = await untilStage(crash, ['BROADCAST']);
      expect(row.hashes).toEqual([signedBy(crash).txHash]);
    }
  });

  it('K2: died holding a nonce: it is reusable, and the next one issued', async () => {
    await untilStage(atK2, ['REUSABLE']);
    expect(await comeBack(atK2)).toEqual({ ran: true, nonce: 0, code: 'done' });
    expect(await rowOf(atK2)).toMatchObject({ source: 'recycled' });
    await expectExecutedOnce(atK2);
    await expectExecutedOnce(backAtK2);
  });

  it('K2: died holding a nonce without having to declare sends: it is only replaced', async () => {
    const issued = await waitFor(
      async () => {
        const [allocation] = await other.nonces.allocate(submitterOf(inferredAtK2));
        return allocation?.nonce === 0 ? allocation : undefined;
      },
      { describe: 'the nonce to be issued as a replacement', everyMs: 100 },
    );
    expect(issued.source).toBe('replacement');
  });

  it('K3: died with signed bytes and no intent: it is reusable, and its zombie is fenced', async () => {
    await untilStage(atK3, ['REUSABLE']);
    expect(await comeBack(atK3)).toEqual({ ran: true, nonce: 0, code: 'done' });
    const { id = '' } = atK3.died ?? {};
    await expect(other.nonces.intent({ id }, signedBy(atK3))).rejects.toMatchObject({
      code: 'NONCE_FENCED',
    });
    await expectExecutedOnce(atK3);
  });

  it('K4: died before sending: the same bytes are sent, and mine once', async () => {
    await expectExecutedOnce(atK4);
    expect((await rowOf(atK4))?.hashes).toEqual([signedBy(atK4).txHash]);
    await expectDoneWithoutRunning(atK4);
  });

  it('K5: died without a reply: the bytes are found or sent again, and mine once', async () => {
    await expectExecutedOnce(atK5);
    expect((await rowOf(atK5))?.hashes).toEqual([signedBy(atK5).txHash]);
    await expectDoneWithoutRunning(atK5);
  });

  it('K6: died before recording what a node had taken: it is discovered by its hash', async () => {
    await expectExecutedOnce(atK6);
    expect((await rowOf(atK6))?.hashes).toEqual([signedBy(atK6).txHash]);
    await expectDoneWithoutRunning(atK6);
  });

  it('K7: died after its transaction was mined: it is found mined, never called too low', async () => {
    await untilStage(atK7, ['MINED', 'CONFIRMED', 'FINAL']);
    await expectExecutedOnce(atK7);
    await expectDoneWithoutRunning(atK7);
  });

  it('K4, K5: died inside ctx.send, with and without the bytes delivered: they mine once', async () => {
    for (const crash of [droppedInSend, cutInSend]) {
      await expectExecutedOnce(crash);
      await expectDoneWithoutRunning(crash);
    }
  });
});

describe('inside the allocating statement', () => {
  /** Lets the process wait inside its statement, kills it, and ends the statement as told. */
  async function dieInStatement(crash: Crash, end: 'rolled back' | 'committed'): Promise<void> {
    const { pool } = fixture.database;
    const blocker = await pool.connect();
    try {
      await blocker.query('BEGIN');
      await blocker.query('SELECT 1 FROM submitter_nonce_state WHERE submitter = $1 FOR UPDATE', [
        submitterOf(crash),
      ]);
      await crash.process.message((message) => message.kind === 'ready', 'ready');
      crash.process.send('go');
      const pid = await waitFor(blockedBackend, { describe: 'the process to wait for the row' });
      await crash.process.kill();
      if (end === 'rolled back') {
        await pool.query('SELECT pg_terminate_backend($1)', [pid]);
        await waitFor(async () => (await blockedBackend()) === undefined, {
          describe: 'its statement to be rolled back',
        });
      }
    } finally {
      await blocker.query('ROLLBACK');
      blocker.release();
    }
  }

  async function blockedBackend(): Promise<number | undefined> {
    const { rows } = await fixture.database.pool.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE datname = current_database()
        AND wait_event_type = 'Lock' AND query LIKE '%allocate_batch%'`,
    );
    return rows[0]?.pid;
  }

  it('K0: killed before the commit: no nonce is taken, and the same request gets it', async () => {
    await dieInStatement(beforeCommit, 'rolled back');
    const { rows, next } = await readLedger(fixture.database.pool, submitterOf(beforeCommit));
    expect([rows, next]).toEqual([[], 0]);
    expect(await comeBack(beforeCommit)).toEqual({ ran: true, nonce: 0, code: 'done' });
    await expectExecutedOnce(beforeCommit);
  });

  it('K1: killed between commit and reply: the same operation gets the same nonce', async () => {
    await dieInStatement(afterCommit, 'committed');
    const row = await untilStage(afterCommit, ['GRANTED']);
    expect(row.operationId).toBe('K1');
    expect(await comeBack(afterCommit)).toEqual({ ran: true, nonce: 0, code: 'done' });
    expect((await rowOf(afterCommit))?.id).toBe(row.id);
    await expectExecutedOnce(afterCommit);
    await expectDoneWithoutRunning(afterCommit);
  });

  it('K1: without an operation the nonce nobody knows of is reusable after its deadline', async () => {
    await dieInStatement(afterCommitUnnamed, 'committed');
    await untilStage(afterCommitUnnamed, ['REUSABLE']);
    expect(await comeBack(afterCommitUnnamed)).toEqual({ ran: true, nonce: 0, code: 'done' });
    await expectExecutedOnce(afterCommitUnnamed);
  });
});
