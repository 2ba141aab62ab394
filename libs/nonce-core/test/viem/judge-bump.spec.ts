import { serializeTransaction, type TransactionSerializable } from 'viem';
import type { Hex } from '../../src/domain/brand';
import { judgeBump } from '../../src/viem/judge-bump';

const SIGNATURE = { r: `0x${'11'.repeat(32)}`, s: `0x${'22'.repeat(32)}`, yParity: 1 } as const;
const TO: Hex = `0x${'77'.repeat(20)}`;
const WORK = {
  type: 'eip1559',
  chainId: 31_337,
  nonce: 5,
  to: TO,
  value: 7n,
  data: '0xabcd',
  gas: 50_000n,
  maxFeePerGas: 100n,
  maxPriorityFeePerGas: 10n,
} as const satisfies TransactionSerializable;

function signed(changes: Partial<typeof WORK> | Record<string, unknown> = {}): Hex {
  return serializeTransaction({ ...WORK, ...changes }, SIGNATURE);
}

const ENOUGH = { maxFeePerGas: 110n, maxPriorityFeePerGas: 11n };

describe('what may take the place of a transaction', () => {
  it('I-22, L14: is the same work with both fees a tenth higher', () => {
    expect(judgeBump(signed(), signed(ENOUGH))).toBeNull();
  });

  it.each([
    ['maxPriorityFeePerGas', { maxFeePerGas: 200n }],
    ['maxFeePerGas', { maxPriorityFeePerGas: 20n }],
    ['maxFeePerGas', { ...ENOUGH, maxFeePerGas: 109n }],
  ])('I-22: is nothing whose %s is not raised by a tenth', (field, fees) => {
    expect(judgeBump(signed(), signed(fees))).toBe(`too low a ${field}`);
  });

  it.each([
    ['to', { to: `0x${'78'.repeat(20)}` }],
    ['value', { value: 8n }],
    ['data', { data: '0xabce' }],
    ['nonce', { nonce: 6 }],
    ['gas', { gas: 50_001n }],
    ['chainId', { chainId: 1 }],
  ])('S2: is no other work: %s is compared', (field, change) => {
    const reason = `other work: its ${field} differs`;
    expect(judgeBump(signed(), signed({ ...ENOUGH, ...change }))).toBe(reason);
  });

  it('is nothing that cannot be decoded', () => {
    expect(judgeBump(signed(), '0x00')).toBe('bytes that cannot be decoded');
    expect(judgeBump('0x00', signed())).toBe('bytes that cannot be decoded');
  });

  it('L14: pays twice in every field where it carries blobs', () => {
    const blob = {
      type: 'eip4844',
      maxFeePerBlobGas: 100n,
      blobVersionedHashes: [`0x01${'33'.repeat(31)}`],
    };
    const fees = { maxFeePerGas: 200n, maxPriorityFeePerGas: 20n };
    const twice = { ...blob, ...fees, maxFeePerBlobGas: 200n };
    expect(judgeBump(signed(blob), signed(twice))).toBeNull();
    const less = { ...twice, maxFeePerBlobGas: 199n };
    expect(judgeBump(signed(blob), signed(less))).toBe('too low a maxFeePerBlobGas');
  });
});
