import { judge, type WalletProof } from '../src/start/chain-proof';
import { reportDemo } from '../src/start/demo-report';
import { readStartOptions } from '../src/start/start-options';
import { DEMO, planTransfers } from '../src/start/transfer-plan';

const PLAN = planTransfers().filter((transfer) => transfer.wallet === 0);

function minedAsPlanned(): { nonce: number; value: bigint }[] {
  return PLAN.map((transfer, nonce) => ({ nonce, value: transfer.amountWei }));
}

function proofOf(mined: readonly { nonce: number; value: bigint }[]): WalletProof {
  return { address: '0xpayer', chainCount: mined.length, ...judge(mined) };
}

function isRight(mined: readonly { nonce: number; value: bigint }[]): boolean {
  const tally = { sent: PLAN.length, recycled: 0 };
  return reportDemo(PLAN, [proofOf(mined)], [tally]).right;
}

describe('the demo', () => {
  it('plans failures, kills and retries among its transfers, each with an amount of its own', () => {
    const plan = planTransfers();
    const mishaps = new Set(plan.map((transfer) => transfer.mishap));
    expect(mishaps).toEqual(
      new Set(['none', 'fails-before-sending', 'asks-for-retry', 'caller-is-killed']),
    );
    expect(new Set(plan.map((transfer) => transfer.amountWei)).size).toBe(DEMO.transfers);
  });

  it('calls a chain right on which every nonce and every payment occurs once', () => {
    expect(isRight(minedAsPlanned())).toBe(true);
  });

  it('calls a missing transfer wrong', () => {
    expect(isRight(minedAsPlanned().slice(0, -1))).toBe(false);
  });

  it('calls a gap wrong and names the nonce', () => {
    const mined = minedAsPlanned();
    mined.splice(5, 1);
    const report = reportDemo(PLAN, [proofOf(mined)], [{ sent: PLAN.length, recycled: 0 }]);
    expect(report.right).toBe(false);
    expect(report.lines).toContainEqual('0xpayer: gaps at 5');
  });

  it('calls a payment wrong that was made twice', () => {
    const mined = minedAsPlanned();
    const [first, second] = mined;
    if (first === undefined || second === undefined) throw new Error('the plan is empty');
    mined[1] = { nonce: second.nonce, value: first.value };
    expect(isRight(mined)).toBe(false);
  });

  it('calls a nonce wrong that two transactions carry', () => {
    const mined = minedAsPlanned();
    expect(isRight([...mined, { nonce: 3, value: 7n }])).toBe(false);
  });

  it('calls a caller wrong that reported a transfer less than the chain has', () => {
    const tally = { sent: PLAN.length - 1, recycled: 0 };
    expect(reportDemo(PLAN, [proofOf(minedAsPlanned())], [tally]).right).toBe(false);
  });
});

describe('the options of npm start', () => {
  it('knows --once and --no-demo', () => {
    expect(readStartOptions(['--once'])).toEqual({ once: true, demo: true });
    expect(readStartOptions(['--no-demo'])).toEqual({ once: false, demo: false });
  });

  it('refuses an unknown word and shows what it knows', () => {
    expect(() => readStartOptions(['--onec'])).toThrow(/unknown option --onec[\s\S]*--no-demo/);
  });

  it('refuses --once without a demo', () => {
    expect(() => readStartOptions(['--once', '--no-demo'])).toThrow(/--once runs the demo/);
  });
});
