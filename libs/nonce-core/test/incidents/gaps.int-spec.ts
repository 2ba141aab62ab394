import type { NonceComponent } from '../../src/module/nonce-component';
import type { NonceContext } from '../../src/template/nonce-context';
import { HostBench, rejection, type Payer } from './host-bench';

const FIRST = 5;

let bench: HostBench;
let node: NonceComponent;

beforeAll(async () => {
  bench = await HostBench.open();
  node = await bench.node();
  await bench.worker();
});
afterAll(() => bench.close());

/** A payer whose chain count is C = 5. */
async function payerAtFive(): Promise<Payer> {
  const payer = bench.payer();
  await bench.chain.server.rpc('anvil_setNonce', [payer.address, `0x${FIRST.toString(16)}`]);
  return payer;
}

/** Exactly one record for each nonce from C to the next never-issued one, and no other (S12). */
async function expectPartition(payer: Payer, nextNonce: number): Promise<void> {
  const expected = Array.from({ length: nextNonce - FIRST }, (_, index) => FIRST + index);
  expect((await payer.rows()).map((row) => row.nonce)).toEqual(expected);
  expect(await node.inspect(payer.address)).toMatchObject({ nextLocalNonce: nextNonce });
}

describe('I-12: a nonce whose holder died between allocation and record', () => {
  // C=5; INCR->5; crash(N1) before persist; alloc=6,7,8; send(6..)->REJ(nonce too high);
  // restart: sync=max(5,9)=9
  it('is issued again, lowest first, and what was refused behind it is mined after it', async () => {
    const payer = await payerAtFive();
    const lost = bench.payment();
    const [dead] = await node.allocate(payer.address, { operationId: lost.operationId });
    expect(dead?.nonce).toBe(FIRST);
    const later = [bench.payment(), bench.payment(), bench.payment()];
    for (const payment of later) {
      bench.spoil('nonce-too-high');
      const refused = rejection(node.withNonce(payer.address, payer.pays(payment), payment));
      expect(await refused).toMatchObject({ code: 'NONCE_OUTCOME_UNKNOWN' });
    }
    await expectPartition(payer, 9);

    const restarted = await bench.node();
    await payer.expire();
    await payer.reaches(FIRST, 'REUSABLE');
    const again = await restarted.execute(payer.address, payer.pays(lost), lost);
    expect(again).toMatchObject({ nonce: FIRST, source: 'recycled' });
    for (const nonce of [6, 7, 8]) await payer.reaches(nonce, 'BROADCAST');
    await bench.mine();
    expect(await bench.minedNonces(payer)).toEqual([5, 6, 7, 8]);
    for (const payment of [lost, ...later]) expect(await bench.executions(payment)).toBe(1);
    await expectPartition(payer, 9);
  });
});

describe('I-14: the signer is away', () => {
  // C=5; repeat 10x{alloc(h1,op)=5+i; sign fails; (no recycle)}; signer back; alloc=15
  const away = Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:443'), {
    code: 'ECONNREFUSED',
  });

  it('ten failures to sign spend no nonce: the first signature takes the first nonce', async () => {
    const payer = await payerAtFive();
    const payment = bench.payment();
    let asked = 0;
    const submit = () =>
      node.submit(payer.address, {
        prepare: async (ctx) => {
          asked += 1;
          if (asked <= 10) throw away;
          return (await payer.sign(ctx.nonce, payment)).rawTx;
        },
        send: (rawTx) => bench.send(rawTx),
      });
    for (let failure = 0; failure < 10; failure += 1) expect(await rejection(submit())).toBe(away);
    expect(await payer.stages()).toEqual(['REUSABLE']);
    expect(await submit()).toBe('accepted');
    await bench.mine();
    expect(await bench.minedNonces(payer)).toEqual([FIRST]);
    await expectPartition(payer, 6);
  });

  it('a plain handler says with notBroadcast that the refused connection was its signer’s', async () => {
    const payer = await payerAtFive();
    const signing = (ctx: NonceContext) => {
      ctx.notBroadcast();
      throw Object.assign(away, { nonce: ctx.nonce });
    };
    for (let failure = 0; failure < 10; failure += 1) {
      expect(await rejection(node.withNonce(payer.address, signing))).toBe(away);
    }
    const payment = bench.payment();
    const paid = await node.execute(payer.address, payer.pays(payment));
    expect(paid).toMatchObject({ nonce: FIRST, source: 'recycled' });
  });
});

describe('I-15: a refused send at the head of the queue', () => {
  // C=5; alloc 5,6,7; send(5)->REJ(underpriced); send(6),send(7)->ACK(queued); alloc=8; tick(oo)
  it('5 is sent again by its own operation with a better fee; 6 and 7 are untouched and mine', async () => {
    const payer = await payerAtFive();
    const [a, b, c, d] = [bench.payment(), bench.payment(), bench.payment(), bench.payment()];
    bench.spoil('not-accepted-now');
    const refused = rejection(node.withNonce(payer.address, payer.pays(a), a));
    expect(await refused).toMatchObject({ code: 'NONCE_OUTCOME_UNKNOWN' });
    const queued = [b, c].map((payment) => node.execute(payer.address, payer.pays(payment)));
    const followers = (await Promise.all(queued)).map((execution) => execution.nonce);
    expect(followers.sort()).toEqual([6, 7]);
    const untouched = (await payer.rows()).slice(1);

    const bumped = await node.execute(
      payer.address,
      async (ctx) => ctx.send((await payer.sign(ctx.nonce, a, '40')).rawTx),
      { ...a, rerun: true },
    );
    expect(bumped.nonce).toBe(FIRST);
    expect((await payer.rows()).slice(1)).toEqual(untouched);
    expect((await node.execute(payer.address, payer.pays(d))).nonce).toBe(8);
    await bench.mine();
    expect(await bench.minedNonces(payer)).toEqual([5, 6, 7, 8]);
    for (const payment of [a, b, c, d]) expect(await bench.executions(payment)).toBe(1);
  });

  it('a head that failed before its intent is issued again first, and 6 and 7 stay with theirs', async () => {
    const payer = await payerAtFive();
    const [a, b, c] = [bench.payment(), bench.payment(), bench.payment()];
    const [head] = await node.allocate(payer.address, { operationId: a.operationId });
    for (const payment of [b, c]) await node.withNonce(payer.address, payer.pays(payment));
    await node.markRecyclable(head!, { reason: 'the estimate failed' });
    const again = await node.execute(payer.address, payer.pays(a), a);
    expect(again).toMatchObject({ nonce: FIRST, source: 'recycled' });
    await bench.mine();
    expect(await bench.minedNonces(payer)).toEqual([5, 6, 7]);
    for (const payment of [a, b, c]) expect(await bench.executions(payment)).toBe(1);
  });
});
