import { NonceOutcome } from '../../src/domain/nonce-outcome';
import type { NonceComponent } from '../../src/module/nonce-component';
import { HostBench, rejection } from '../incidents/host-bench';

const range = (length: number) => Array.from({ length }, (_, index) => index);

let bench: HostBench;
let node: NonceComponent;
beforeAll(async () => {
  bench = await HostBench.open();
  node = await bench.node();
  await bench.worker();
});
afterAll(() => bench.close());

it('a payment through withNonce is followed by the worker from its intent to its end', async () => {
  const payer = bench.payer();
  const payment = bench.payment();
  const sent = await node.execute(payer.address, payer.pays(payment), payment);
  expect(sent).toMatchObject({ nonce: 0, stage: 'BROADCAST', txHash: sent.value });
  await bench.mine();
  await payer.reaches(0, 'MINED');
  await bench.mine();
  await payer.reaches(0, 'CONFIRMED');
  expect(await node.inspect(payer.address)).toMatchObject({ counts: { USED: 1 }, gaps: [] });
  await bench.mine(64); // the default depth at which no reorg is expected any more
  await payer.reaches(0, 'FINAL');
  expect(bench.broadcasts).toEqual([{ txHash: sent.value, intentBefore: true }]);
  expect(await bench.executions(payment)).toBe(1);
});

it('nonces that handlers gave back are issued again, and all of them are mined in the end', async () => {
  const payer = bench.payer();
  const payments = range(12).map(() => bench.payment());
  let failures = 0;
  const pay = async (index: number): Promise<void> => {
    const payment = payments[index]!;
    let left = index % 3;
    for (;;) {
      const call = node.withNonce(payer.address, async (ctx) => {
        if (left === 0) return payer.pays(payment)(ctx);
        left -= 1;
        failures += 1;
        return NonceOutcome.fail(`nonce ${ctx.nonce} is not wanted yet`);
      });
      const end = await call.then(
        () => 'sent',
        (error: unknown) => error,
      );
      if (end === 'sent') return;
      expect(end).toMatchObject({ code: 'NONCE_OPERATION_FAILED' });
    }
  };
  await Promise.all(range(12).map(pay));
  expect(failures).toBe(12);
  // A nonce that came back last of all is still to be issued, lowest first.
  for (;;) {
    const { gaps, nextLocalNonce } = await node.inspect(payer.address);
    if (!(await payer.stages()).includes('REUSABLE')) {
      expect([gaps, nextLocalNonce]).toEqual([[], payments.length]);
      break;
    }
    const payment = bench.payment();
    payments.push(payment);
    const filled = await node.execute(payer.address, payer.pays(payment));
    expect(filled.source).toBe('recycled');
  }
  await bench.mine();
  expect(await bench.minedNonces(payer)).toEqual(range(payments.length));
  for (const payment of payments) expect(await bench.executions(payment)).toBe(1);
});

it('a handler that keeps its nonce is continued under the same operation by another process', async () => {
  const payer = bench.payer();
  const payment = bench.payment();
  const kept = await node.execute(
    payer.address,
    async () => NonceOutcome.keep('waits for an approval'),
    payment,
  );
  expect(kept).toMatchObject({ nonce: 0, status: 'RESERVED', value: undefined });
  const elsewhere = await bench.node();
  const paid = await elsewhere.execute(payer.address, payer.pays(payment), payment);
  expect(paid).toMatchObject({ nonce: 0, allocationId: kept.allocationId, stage: 'BROADCAST' });
  const late = rejection(
    node.markRecyclable(
      { submitter: payer.address, nonce: 0 },
      { reason: 'the approval never came' },
    ),
  );
  expect(await late).toMatchObject({ code: 'NONCE_RECYCLE_UNSAFE' });
  await bench.mine();
  await payer.reaches(0, 'MINED', 'CONFIRMED');
  expect(await bench.executions(payment)).toBe(1);
});
