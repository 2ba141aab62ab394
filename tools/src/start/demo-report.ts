import type { WalletProof } from './chain-proof';
import type { Transfer } from './transfer-plan';

export interface WalletTally {
  /** Transfers that the callers reported as sent. */
  sent: number;
  /** Grants whose nonce had been released before. */
  recycled: number;
}

export interface DemoReport {
  readonly lines: readonly string[];
  /** True when the chain shows every nonce and every payment exactly once. */
  readonly right: boolean;
}

/** The closing table; every figure but `sent` and `recycled` was read from the chain. */
export function reportDemo(
  plan: readonly Transfer[],
  proofs: readonly WalletProof[],
  tallies: readonly WalletTally[],
): DemoReport {
  const header = [
    'wallet',
    'sent',
    'mined',
    'chain count',
    'recycled',
    'gaps',
    'duplicates',
    'paid',
  ];
  const rows: string[][] = [];
  const problems: string[] = [];
  proofs.forEach((proof, wallet) => {
    const expected = plan.filter((transfer) => transfer.wallet === wallet);
    const paidOnce = expected.filter((t) => proof.payments.get(t.amountWei) === 1).length;
    const tally = tallies[wallet] ?? { sent: 0, recycled: 0 };
    rows.push([
      proof.address,
      String(tally.sent),
      String(proof.mined),
      String(proof.chainCount),
      String(tally.recycled),
      String(proof.gaps.length),
      String(proof.duplicates.length),
      `${String(paidOnce)}/${String(expected.length)} once`,
    ]);
    problems.push(...problemsOf(proof, expected, paidOnce));
    if (tally.sent !== expected.length) {
      problems.push(
        `${proof.address}: ${String(tally.sent)} of ${String(expected.length)} reported`,
      );
    }
  });
  return { lines: [...table([header, ...rows]), '', ...problems], right: problems.length === 0 };
}

function problemsOf(
  proof: WalletProof,
  expected: readonly Transfer[],
  paidOnce: number,
): readonly string[] {
  const problems: string[] = [];
  const say = (text: string): void => {
    problems.push(`${proof.address}: ${text}`);
  };
  if (proof.chainCount !== expected.length) {
    say(`the chain counts ${String(proof.chainCount)}, expected ${String(expected.length)}`);
  }
  if (proof.mined !== expected.length) say(`${String(proof.mined)} transactions are in blocks`);
  if (proof.gaps.length > 0) say(`gaps at ${proof.gaps.join(', ')}`);
  if (proof.duplicates.length > 0) say(`duplicates at ${proof.duplicates.join(', ')}`);
  if (paidOnce !== expected.length) {
    say(`${String(expected.length - paidOnce)} transfers were not paid exactly once`);
  }
  return problems;
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  '),
  );
}
