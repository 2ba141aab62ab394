/** What goes wrong with one transfer of the demo, on purpose. */
export type Mishap = 'none' | 'fails-before-sending' | 'asks-for-retry' | 'caller-is-killed';

export interface Transfer {
  readonly index: number;
  /** Position of the paying wallet. */
  readonly wallet: number;
  /** Unique per transfer, so that the chain itself shows how often each was paid. */
  readonly amountWei: bigint;
  readonly mishap: Mishap;
}

export const DEMO = {
  wallets: 3,
  transfers: 200,
  callers: 16,
  /** A killed caller's reservation falls free after this. */
  ttlMs: 2_000,
} as const;

const FAIL_EVERY = 10;
const RETRY_EVERY = 12;
const KILL_EVERY = 50;

/** The same plan at every run: a demo that differs each time proves less. */
export function planTransfers(): readonly Transfer[] {
  return Array.from({ length: DEMO.transfers }, (_, index) => ({
    index,
    wallet: index % DEMO.wallets,
    amountWei: 1_000_000n + BigInt(index),
    mishap: mishapOf(index),
  }));
}

function mishapOf(index: number): Mishap {
  if (index % KILL_EVERY === KILL_EVERY / 2) return 'caller-is-killed';
  if (index % FAIL_EVERY === 3) return 'fails-before-sending';
  if (index % RETRY_EVERY === 5) return 'asks-for-retry';
  return 'none';
}
