import type { Allocation } from '../../src/domain/allocation';
import type { NonceComponent } from '../../src/module/nonce-component';
import type { NonceContext } from '../../src/template/nonce-context';
import { HostBench, rejection, type Payer, type Payment } from '../incidents/host-bench';
import { LossyLine } from '../incidents/lossy-line';

const FIRST = 5;
const WINDOW = 64;
const range = (length: number, from = 0) => Array.from({ length }, (_, index) => from + index);

let bench: HostBench;
let node: NonceComponent;

beforeAll(async () => {
  bench = await HostBench.open();
  node = await bench.node();
  await bench.worker();
});
afterAll(() => bench.close());

async function payerAtFive(): Promise<Payer> {
  const payer = bench.payer();
  await bench.chain.server.rpc('anvil_setNonce', [payer.address, `0x${FIRST.toString(16)}`]);
  return payer;
}

const noncesOf = (allocations: readonly Allocation[]) => allocations.map(({ nonce }) => nonce);

it('H-1: window 64, C = 5, grants 5…68; the holder of 5 fails cleanly; the next caller gets 5', async () => {
  const payer = await payerAtFive();
  let fail!: () => void;
  const failing = new Promise<void>((resolve) => (fail = resolve));
  let taken!: (nonce: number) => void;
  const head = new Promise<number>((resolve) => (taken = resolve));
  const first = rejection(
    node.withNonce(payer.address, async (ctx) => {
      taken(ctx.nonce);
      await failing;
      throw new TypeError('the amount is no number');
    }),
  );
  expect(await head).toBe(FIRST);
  const rest = await node.allocate(payer.address, { count: WINDOW - 1 });
  expect(noncesOf(rest)).toEqual(range(WINDOW - 1, FIRST + 1));
  expect(await rejection(node.allocate(payer.address))).toMatchObject({
    code: 'NONCE_IN_FLIGHT_LIMIT',
  });
  fail();
  expect(await first).toBeInstanceOf(TypeError);
  expect(noncesOf(await node.allocate(payer.address))).toEqual([FIRST]);
  expect(await rejection(node.allocate(payer.address))).toMatchObject({
    code: 'NONCE_IN_FLIGHT_LIMIT',
  });
});

describe('H-3: operation A is FINAL and its caller retries a day later', () => {
  async function settled(payer: Payer, payment: Payment): Promise<Allocation> {
    await node.withNonce(payer.address, payer.pays(payment), payment);
    await bench.mine();
    await payer.reaches(0, 'MINED', 'CONFIRMED', 'FINAL');
    await bench.database.pool.query(
      `UPDATE submitter_nonce_allocation SET stage = 'CONFIRMED' WHERE submitter = $1
       AND stage = 'MINED'`,
      [payer.submitter],
    );
    await bench.database.pool.query(
      `UPDATE submitter_nonce_allocation SET stage = 'FINAL', proof = 'receipt', due_at = NULL,
         updated_at = now() - interval '1 day' WHERE submitter = $1`,
      [payer.submitter],
    );
    return (await node.allocate(payer.address, { operationId: payment.operationId }))[0]!;
  }

  /** What retention will do: keep the answers first, and only then let rows go. */
  async function prune(payer: Payer, payment: Payment): Promise<boolean> {
    const { pool } = bench.database;
    const { rows } = await pool.query<{ settled: boolean }>(
      'SELECT settle_operation($1, $2) AS settled',
      [payer.submitter, payment.operationId],
    );
    if (rows[0]?.settled !== true) return false;
    const client = await pool.connect();
    try {
      await client.query('BEGIN');
      await client.query('SET LOCAL session_replication_role = replica'); // the owner's own way
      await client.query('DELETE FROM submitter_nonce_allocation WHERE submitter = $1', [
        payer.submitter,
      ]);
      await client.query('COMMIT');
    } finally {
      client.release();
    }
    return true;
  }

  async function expectNothingRuns(payer: Payer, payment: Payment): Promise<void> {
    let runs = 0;
    const again = await node.execute(
      payer.address,
      async (ctx) => {
        runs += 1;
        return payer.pays(payment)(ctx);
      },
      payment,
    );
    expect(again).toMatchObject({ nonce: 0, stage: 'FINAL', attempts: 0, replayed: true });
    await bench.mine();
    expect([runs, await bench.executions(payment)]).toEqual([0, 1]);
  }

  it('gets the settled allocation, and nothing runs twice', async () => {
    const payer = bench.payer();
    const payment = bench.payment();
    const first = await settled(payer, payment);
    expect(first).toMatchObject({ stage: 'FINAL', status: 'USED', proof: 'receipt' });
    await expectNothingRuns(payer, payment);
  });

  it('gets the same allocation after retention pruned the row', async () => {
    const payer = bench.payer();
    const payment = bench.payment();
    const first = await settled(payer, payment);
    expect(await prune(payer, payment)).toBe(true);
    expect(await payer.rows()).toEqual([]);
    const [again] = await node.allocate(payer.address, { operationId: payment.operationId });
    expect(again).toEqual(first);
    await expectNothingRuns(payer, payment);
    const other = node.allocate(payer.address, { operationId: payment.operationId, count: 2 });
    expect(await rejection(other)).toMatchObject({ code: 'NONCE_IDEMPOTENCY_REUSED' });
    expect(noncesOf(await node.allocate(payer.address))).toEqual([1]);
  });

  it('keeps its rows while the chain has not decided', async () => {
    const payer = bench.payer();
    const payment = bench.payment();
    await node.withNonce(payer.address, payer.pays(payment), payment);
    expect(await prune(payer, payment)).toBe(false);
    expect(await prune(payer, bench.payment())).toBe(false);
    const given = { operationId: 'given back' };
    const [held] = await node.allocate(payer.address, given);
    await node.markRecyclable(held!, { reason: 'never sent' });
    expect(await prune(payer, { ...given, wei: 0n })).toBe(false);
    const [second] = await node.allocate(payer.address, given);
    expect(second).toMatchObject({ nonce: 1, source: 'recycled' });
  });

  it('is bound anew when others used its nonce, also after retention pruned the row', async () => {
    const payer = bench.payer();
    const payment = bench.payment();
    await node.allocate(payer.address, { operationId: payment.operationId });
    await bench.database.pool.query(
      `UPDATE submitter_nonce_allocation SET stage = 'CONSUMED_EXTERNAL', deadline = NULL,
         proof = 'count' WHERE submitter = $1`,
      [payer.submitter],
    );
    expect(await prune(payer, payment)).toBe(true);
    const [anew] = await node.allocate(payer.address, { operationId: payment.operationId });
    expect(anew).toMatchObject({ nonce: 1, stage: 'GRANTED' });
    const [again] = await node.allocate(payer.address, { operationId: payment.operationId });
    expect(again?.id).toBe(anew?.id);
  });
});

it('H-4: count 3 under one operation is one binding, three nonces, and the same three again', async () => {
  const payer = bench.payer();
  const wish = { count: 3, operationId: 'three at once' };
  const first = await node.allocate(payer.address, wish);
  const elsewhere = await bench.node();
  const again = await elsewhere.allocate(payer.address, wish);
  expect(noncesOf(first)).toEqual([0, 1, 2]);
  expect(again.map(({ id }) => id)).toEqual(first.map(({ id }) => id));
  const { rows } = await bench.database.pool.query(
    'SELECT nonces FROM operation WHERE submitter = $1',
    [payer.submitter],
  );
  expect(rows).toEqual([{ nonces: ['0', '1', '2'] }]);
  expect((await payer.rows()).length).toBe(3);
});

it('H-7: a plain handler sends, the RPC times out, the handler throws: 5 is not handed out clean', async () => {
  const payer = await payerAtFive();
  const payment = bench.payment();
  const call = node.withNonce(payer.address, async (ctx) => {
    const { rawTx } = await payer.sign(ctx.nonce, payment);
    await bench.send(rawTx);
    throw Object.assign(new Error('The request timed out.'), { name: 'TimeoutError' });
  });
  expect(await rejection(call)).toMatchObject({
    code: 'NONCE_OUTCOME_UNKNOWN',
    context: { nonce: FIRST },
  });
  expect(await payer.stages()).toEqual(['QUARANTINED']);
  const other = bench.payment();
  expect(await node.execute(payer.address, payer.pays(other))).toMatchObject({
    nonce: 6,
    source: 'fresh',
  });
  await bench.mine();
  expect([await bench.executions(payment), await bench.executions(other)]).toEqual([1, 1]);
});

it('H-8: the reply to an intent is lost for good; its operation keeps its nonce and its bytes', async () => {
  const line = await LossyLine.open(bench.database.url);
  const { database } = bench.options();
  const behindLine = await bench.node({ database: { ...database, url: line.url } });
  const payer = await payerAtFive();
  const payment = bench.payment();
  const sent: number[] = [];
  const pay = async (ctx: NonceContext) => {
    const { rawTx, txHash } = await payer.sign(ctx.nonce, payment);
    line.loseAnswers(1_000);
    await ctx.intent({ txHash, rawTx });
    sent.push(ctx.nonce);
  };
  const first = await rejection(behindLine.withNonce(payer.address, pay, payment));
  expect(first).toMatchObject({ code: 'NONCE_OUTCOME_UNKNOWN', context: { nonce: FIRST } });
  line.loseAnswers(0);
  const again = await rejection(behindLine.withNonce(payer.address, pay, payment));
  expect(again).toMatchObject({ code: 'NONCE_OUTCOME_UNKNOWN', context: { nonce: FIRST } });
  const [bound] = await node.allocate(payer.address, { operationId: payment.operationId });
  expect(bound).toMatchObject({ nonce: FIRST, stage: 'INTENT' });
  expect(sent).toEqual([]);
  await payer.expire(); // the caller's time is over; the worker sends what was stored
  await payer.reaches(FIRST, 'BROADCAST');
  await bench.mine();
  expect([await bench.executions(payment), await bench.minedNonces(payer)]).toEqual([1, [FIRST]]);
  await line.close();
});

it('H-17: a 1,024-wide strict epoch is closed; 1,000 allocations issue each of its nonces once', async () => {
  const payer = bench.payer();
  const wide = await bench.node({ maxInFlight: 0 });
  await wide.allocate(payer.address);
  const { pool } = bench.database;
  const changeEpoch = (seen: number, engine: string, raise: number) =>
    pool.query(`SELECT change_epoch($1, $2, $3, NULL, $4, 'strict', 'test')`, [
      payer.submitter,
      seen,
      engine,
      raise,
    ]);
  await changeEpoch(1, 'performance', 1_024);
  await changeEpoch(2, 'reliable', 0);
  const grants = await Promise.all(range(1_000).map(() => wide.allocate(payer.address)));
  const issued = grants.flatMap(noncesOf).sort((a, b) => a - b);
  expect(issued).toEqual(range(1_000, 1));
  const { rows } = await pool.query<{ walk_cursor: string }>(
    'SELECT walk_cursor FROM submitter_nonce_state WHERE submitter = $1',
    [payer.submitter],
  );
  // The cursor never goes back: it stands right behind what was issued.
  expect(rows).toEqual([{ walk_cursor: '1001' }]);
});

describe('H-18: 64 callers whose allocations share statements', () => {
  it('one bad row fails alone and the other 63 are granted in time', async () => {
    const payers = range(8).map(() => bench.payer());
    await Promise.all(payers.map((payer) => node.allocate(payer.address)));
    const startedMs = performance.now();
    const callers = range(64).map((index) =>
      node.allocate(payers[index % 8]!.address, {
        // Postgres stores no NUL inside JSON: the whole statement fails because of this row.
        ...(index === 17 ? { metadata: { text: 'NUL \0' } } : {}),
      }),
    );
    const ends = await Promise.allSettled(callers);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    expect(ends.flatMap((end, index) => (end.status === 'rejected' ? [index] : []))).toEqual([17]);
  });

  it('one submitter locked elsewhere waits alone: 63 are granted while it is still locked', async () => {
    const payers = range(64).map((index) => ({
      chainId: 424_242,
      address: `0x${(index + 1).toString(16).padStart(40, 'd')}`,
    }));
    await Promise.all(payers.map((payer) => node.allocate(payer, { startNonce: 0 })));
    const blocker = await bench.database.pool.connect();
    try {
      await blocker.query('BEGIN');
      await blocker.query('SELECT 1 FROM submitter_nonce_state WHERE submitter = $1 FOR UPDATE', [
        `eip155:424242:${payers[0]!.address}`,
      ]);
      const callers = payers.map((payer) => node.allocate(payer));
      const served = await Promise.all(callers.slice(1));
      expect(served.flat().map(({ nonce }) => nonce)).toEqual(range(63).map(() => 1));
      await blocker.query('COMMIT');
      expect(noncesOf(await callers[0]!)).toEqual([1]);
    } finally {
      blocker.release();
    }
  });
});

it('H-20: only blocks of 8 are asked for while single nonces are recyclable: they are used, no gap stays', async () => {
  const payer = bench.payer();
  const held = await node.allocate(payer.address, { count: 20 });
  for (const nonce of [3, 7, 11]) await node.markRecyclable(held[nonce]!, { reason: 'unsent' });
  const block = await node.allocate(payer.address, { count: 8 });
  expect(noncesOf(block)).toEqual([3, 7, 11, 20, 21, 22, 23, 24]);
  expect(noncesOf(await node.allocate(payer.address, { count: 8 }))).toEqual(range(8, 25));
  const payments = range(33).map(() => bench.payment());
  for (const [nonce, payment] of payments.entries()) {
    const signed = await payer.sign(nonce, payment);
    await node.intent({ submitter: payer.address, nonce }, signed);
    await bench.send(signed.rawTx);
  }
  await bench.mine();
  expect(await bench.minedNonces(payer)).toEqual(range(33));
  expect((await node.inspect(payer.address)).gaps).toEqual([]);
});
