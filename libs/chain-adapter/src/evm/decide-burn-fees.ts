/** What the chain asks for now, in wei per gas. */
export type FeeQuote =
  | { readonly kind: 'eip1559'; readonly baseFeePerGas: bigint; readonly tipPerGas: bigint }
  | { readonly kind: 'legacy'; readonly gasPrice: bigint };

/** Fees of a transaction that may be out at the same nonce; both the gas price where it has one. */
export interface RivalFees {
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
}

export type BurnFees =
  | {
      readonly type: 'eip1559';
      readonly maxFeePerGas: bigint;
      readonly maxPriorityFeePerGas: bigint;
    }
  | { readonly type: 'legacy'; readonly gasPrice: bigint };

/** The most of it that one unit of gas may cost. */
export const perGas = (fees: BurnFees): bigint =>
  fees.type === 'legacy' ? fees.gasPrice : fees.maxFeePerGas;

/**
 * Pays what the chain asks for, with room for six full blocks of rising base fee (2 × base), and at
 * least 12.5% more in every field than each rival: geth and its kin ask for 10%, others for 12.5%.
 */
export function decideBurnFees(quote: FeeQuote, rivals: readonly RivalFees[]): BurnFees {
  const above = (least: bigint, fees: readonly bigint[]): bigint =>
    fees.map(bumped).reduce((most, fee) => (fee > most ? fee : most), least);
  const maxFees = rivals.map((rival) => rival.maxFeePerGas);
  if (quote.kind === 'legacy') return { type: 'legacy', gasPrice: above(quote.gasPrice, maxFees) };
  const tips = rivals.map((rival) => rival.maxPriorityFeePerGas);
  const maxPriorityFeePerGas = above(quote.tipPerGas, tips);
  const maxFeePerGas = above(2n * quote.baseFeePerGas + maxPriorityFeePerGas, maxFees);
  return { type: 'eip1559', maxFeePerGas, maxPriorityFeePerGas };
}

/** One eighth more, rounded up. */
function bumped(fee: bigint): bigint {
  return (fee * 9n + 7n) / 8n;
}
