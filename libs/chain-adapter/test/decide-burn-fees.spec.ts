import { decideBurnFees, perGas, type FeeQuote } from '../src/evm/decide-burn-fees';

const GWEI = 10n ** 9n;
const QUOTE: FeeQuote = { kind: 'eip1559', baseFeePerGas: 10n * GWEI, tipPerGas: GWEI };

describe('the fees of a burn', () => {
  it('cover twice the base fee and the tip', () => {
    expect(decideBurnFees(QUOTE, [])).toEqual({
      type: 'eip1559',
      maxFeePerGas: 21n * GWEI,
      maxPriorityFeePerGas: GWEI,
    });
  });

  it.each([
    [8n * GWEI, 2n * GWEI],
    [100n * GWEI, 1n],
    [7n, 100n * GWEI],
    [1_000_000_001n, 3n],
  ])(
    'L14: are at least 12.5%% above a rival of %d and %d in both fields',
    (maxFeePerGas, maxPriorityFeePerGas) => {
      const rival = { maxFeePerGas, maxPriorityFeePerGas };
      const fees = decideBurnFees(QUOTE, [{ maxFeePerGas: 1n, maxPriorityFeePerGas: 1n }, rival]);
      if (fees.type !== 'eip1559') throw new Error('not by EIP-1559');
      expect(fees.maxFeePerGas * 1_000n).toBeGreaterThanOrEqual(maxFeePerGas * 1_125n);
      const tip = fees.maxPriorityFeePerGas;
      expect(tip * 1_000n).toBeGreaterThanOrEqual(maxPriorityFeePerGas * 1_125n);
      expect(fees.maxFeePerGas).toBeGreaterThanOrEqual(tip);
    },
  );

  it('are one gas price where blocks have no base fee, above all that rivals may pay', () => {
    const quote: FeeQuote = { kind: 'legacy', gasPrice: 5n * GWEI };
    expect(decideBurnFees(quote, [])).toEqual({ type: 'legacy', gasPrice: 5n * GWEI });
    const rival = { maxFeePerGas: 8n * GWEI, maxPriorityFeePerGas: GWEI };
    expect(perGas(decideBurnFees(quote, [rival]))).toBe(9n * GWEI);
  });
});
