import type { NonceContext } from '../../src/template/nonce-context';
import type { NonceComponent } from '../../src/module/nonce-component';
import { HostBench, rejection } from './host-bench';
import { LossyLine } from './lossy-line';

let bench: HostBench;
let node: NonceComponent;

beforeAll(async () => {
  bench = await HostBench.open();
  node = await bench.node();
  await bench.worker();
});
afterAll(() => bench.close());
afterEach(() => {
  // S2, the checker of I-02, holds for every send of this file: no bytes without their intent.
  for (const broadcast of bench.broadcasts) expect(broadcast).toMatchObject({ intentBefore: true });
});

describe('I-01: a timeout on send is not "not sent"', () => {
  // C=0; alloc(h1,opA)=0; send(h1,0,a)->UNKNOWN(reached=yes); recyc(h1,0)
  // alloc(h2,opA)=1 (or 0 is given to opB); send(h2,1,a'); mine(0,a); mine(1,a')
  it('the caller is told that the outcome is unknown, and its retries pay nothing twice', async () => {
    const payer = bench.payer();
    const [a, b] = [bench.payment(), bench.payment()];
    bench.spoil('reply-lost');
    const first = await rejection(node.withNonce(payer.address, payer.pays(a), a));
    expect(first).toMatchObject({ code: 'NONCE_OUTCOME_UNKNOWN' });

    const [held] = await node.allocate(payer.address, { operationId: a.operationId });
    expect(held).toMatchObject({ nonce: 0, hashes: [(await payer.sign(0, a)).txHash] });
    const release = await rejection(node.markRecyclable(held!, { reason: 'request timed out' }));
    expect(release).toMatchObject({ code: 'NONCE_RECYCLE_UNSAFE' });

    const again = node.execute(payer.address, payer.pays(a), a);
    const other = await node.execute(payer.address, payer.pays(b), b);
    expect(other.nonce).toBe(1);
    await again.catch((error: unknown) => {
      expect(error).toMatchObject({ code: 'NONCE_OUTCOME_UNKNOWN' });
    });
    await bench.mine();
    await payer.expire(); // the caller's time is over; the worker looks for its hash
    await payer.reaches(0, 'MINED', 'CONFIRMED');
    const settled = await node.execute(payer.address, payer.pays(a), a);
    expect(settled).toMatchObject({ nonce: 0, attempts: 0, replayed: true });
    expect([await bench.executions(a), await bench.executions(b)]).toEqual([1, 1]);
    expect(await bench.minedNonces(payer)).toEqual([0, 1]);
  });

  it('bytes that never arrived are sent again as they are, so the operation is paid once', async () => {
    const payer = bench.payer();
    const a = bench.payment();
    bench.spoil('not-reached');
    const first = await rejection(node.withNonce(payer.address, payer.pays(a), a));
    expect(first).toMatchObject({ code: 'NONCE_OUTCOME_UNKNOWN' });
    await payer.expire(); // the caller's time is over; the worker takes its bytes over
    await payer.reaches(0, 'BROADCAST');
    await bench.mine();
    await payer.reaches(0, 'MINED', 'CONFIRMED');
    expect(await bench.executions(a)).toBe(1);
  });
});

describe('I-02: a missing hash is no proof that nothing was broadcast', () => {
  // alloc(h1,opA)=0; send(0,a)->ACK; crash(N1) before the hash is persisted; tick(lock timeout);
  // recovery: hash is NULL => re-approve; alloc(h2,opA)=1; send(1,a'); mine(0); mine(1)
  it('the intent is durable before the call, so recovery follows those bytes and pays once', async () => {
    const payer = bench.payer();
    const a = bench.payment();
    const [held] = await node.allocate(payer.address, { operationId: a.operationId });
    const signed = await payer.sign(held!.nonce, a);
    await node.intent(held!, signed);
    await bench.send(signed.rawTx); // acknowledged; its node is never heard of again
    await payer.expire();
    await payer.reaches(0, 'BROADCAST');
    const again = await node.execute(payer.address, payer.pays(a), a);
    expect(again).toMatchObject({ nonce: 0, attempts: 0, txHash: signed.txHash });
    await bench.mine();
    await payer.reaches(0, 'MINED', 'CONFIRMED');
    expect(await bench.executions(a)).toBe(1);
  });

  it('a row without an intent whose lease is over may be run again, and its zombie is fenced', async () => {
    const payer = bench.payer();
    const a = bench.payment();
    const [held] = await node.allocate(payer.address, { operationId: a.operationId });
    await payer.expire();
    await payer.reaches(0, 'REUSABLE');
    const again = await node.execute(payer.address, payer.pays(a), a);
    expect(again).toMatchObject({ nonce: 0, source: 'recycled', replayed: false });
    const late = await rejection(node.intent(held!, await payer.sign(0, a, '30')));
    expect(late).toMatchObject({ code: 'NONCE_FENCED' });
    await bench.mine();
    expect(await bench.executions(a)).toBe(1);
  });

  it('under inferred exposure a vanished holder leaves a quarantine, not a clean nonce', async () => {
    const payer = bench.payer();
    const wish = { ...bench.payment(), exposure: 'inferred' } as const;
    await node.allocate(payer.address, wish);
    await payer.expire();
    await payer.reaches(0, 'QUARANTINED');
    const again = await rejection(node.withNonce(payer.address, payer.pays(wish), wish));
    expect(again).toMatchObject({ code: 'NONCE_OUTCOME_UNKNOWN' });
    expect(await payer.stages()).toEqual(['QUARANTINED']);
  });
});

describe('I-03: the record fails after the broadcast', () => {
  // alloc(h1,opA)=0; send->ACK; used(0)->UNKNOWN(reply lost, committed=yes); handler throws;
  // retry(opA): alloc(h1,opA)=1; send; mine 0,1
  it('the record is repeated, never the work', async () => {
    const line = await LossyLine.open(bench.database.url);
    const { database } = bench.options();
    const behindLine = await bench.node({ database: { ...database, url: line.url } });
    const payer = bench.payer();
    const a = bench.payment();
    let runs = 0;
    const payThenLoseTheRecord = async (ctx: NonceContext) => {
      runs += 1;
      await payer.pays(a)(ctx);
      line.loseAnswers(2);
    };
    const done = await behindLine.execute(payer.address, payThenLoseTheRecord, a);
    expect(line.lostAnswers).toBe(2);
    expect(done).toMatchObject({ nonce: 0, stage: 'BROADCAST', attempts: 1 });
    const again = await behindLine.execute(payer.address, payThenLoseTheRecord, a);
    expect(again).toMatchObject({ nonce: 0, attempts: 0, replayed: true });
    await bench.mine();
    expect([runs, await bench.executions(a), (await payer.rows()).length]).toEqual([1, 1, 1]);
    await line.close();
  });

  it('a handler that throws after its intent recycles nothing, and its retry does not run', async () => {
    const payer = bench.payer();
    const a = bench.payment();
    let runs = 0;
    const payThenThrow = async (ctx: NonceContext) => {
      runs += 1;
      await payer.pays(a)(ctx);
      throw new TypeError('cannot read properties of undefined');
    };
    const first = await rejection(node.withNonce(payer.address, payThenThrow, a));
    expect(first).toMatchObject({ code: 'NONCE_OUTCOME_UNKNOWN' });
    const again = await node.execute(payer.address, payThenThrow, a);
    expect(again).toMatchObject({ nonce: 0, attempts: 0 });
    await bench.mine();
    expect([runs, await bench.executions(a)]).toEqual([1, 1]);
  });
});
