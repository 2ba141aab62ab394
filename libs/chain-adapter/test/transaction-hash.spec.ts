import { keccak256, serializeTransaction } from 'viem';
import { transactionHash } from '../src/evm/transaction-hash';

const SIGNATURE = {
  r: `0x${'11'.repeat(32)}`,
  s: `0x${'22'.repeat(32)}`,
  yParity: 1,
} as const;

describe('the hash of signed bytes', () => {
  it('is known before any node answers', () => {
    const raw = serializeTransaction({ type: 'eip1559', chainId: 1, nonce: 5 }, SIGNATURE);
    expect(transactionHash(raw)).toBe(keccak256(raw));
  });

  it('leaves out the blobs that travel with a blob transaction', () => {
    const blob = {
      type: 'eip4844',
      chainId: 1,
      nonce: 5,
      to: `0x${'33'.repeat(20)}`,
      maxFeePerBlobGas: 1n,
      blobVersionedHashes: [`0x01${'44'.repeat(31)}`],
    } as const;
    const sidecar = {
      blob: `0x${'55'.repeat(64)}`,
      commitment: `0x${'66'.repeat(48)}`,
      proof: `0x${'77'.repeat(48)}`,
    } as const;
    const bare = serializeTransaction(blob, SIGNATURE);
    const wrapped = serializeTransaction({ ...blob, sidecars: [sidecar] }, SIGNATURE);
    expect(wrapped).not.toBe(bare);
    expect(transactionHash(wrapped)).toBe(keccak256(bare));
    expect(transactionHash(bare)).toBe(keccak256(bare));
  });

  it.each(['', '0x', '0x1', '0xzz', 'abc'])('S14: %p is refused', (raw) => {
    expect(() => transactionHash(raw as `0x${string}`)).toThrow(
      expect.objectContaining({ code: 'NONCE_VALIDATION' }),
    );
  });

  it('bytes that no chain knows have a hash all the same', () => {
    expect(transactionHash('0x0300')).toBe(keccak256('0x0300'));
  });
});
