import { keccak256, parseGwei, serializeTransaction } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import type { Hex } from '../../src/domain/brand';
import type { Nonce } from '../../src/domain/nonce';
import { parseSubmitter } from '../../src/domain/submitter';
import { intentCheck } from '../../src/template/check-intent-bytes';
import { ViemSignedTransactions } from '../../src/viem/viem-signed-transactions';

const ID = '0190a000-0000-7000-8000-000000000001';
const holder = privateKeyToAccount(`0x${'01'.repeat(32)}`);
const stranger = privateKeyToAccount(`0x${'02'.repeat(32)}`);
const held = {
  submitter: parseSubmitter({ chainId: 1, address: holder.address }),
  nonce: 7 as Nonce,
};
const check = intentCheck(
  new ViemSignedTransactions(),
  async (id) => (id === ID ? held : null),
  'each',
);

const transfer = {
  type: 'eip1559',
  chainId: 1,
  nonce: 7,
  to: stranger.address,
  value: 1n,
  gas: 21_000n,
  maxFeePerGas: parseGwei('2'),
  maxPriorityFeePerGas: 1n,
} as const;

async function refusalOf(rawTx: Hex, txHash = keccak256(rawTx)): Promise<unknown> {
  const refusals = await Promise.all(
    [{ id: ID }, { id: ID, ...held }].map((ref) =>
      check(ref, { txHash, rawTx }).then(
        () => null,
        (error: unknown) => error,
      ),
    ),
  );
  expect(refusals[0]).toEqual(refusals[1]);
  return refusals[0];
}

const refused = (pointer: string, detail: RegExp) =>
  expect.objectContaining({
    code: 'NONCE_VALIDATION',
    errors: [{ pointer, detail: expect.stringMatching(detail) as string }],
  }) as unknown;

describe('the bytes of an intent', () => {
  it('S2: pass when they are signed by the submitter for the nonce, and hash to what is said', async () => {
    const rawTx = await holder.signTransaction(transfer);
    expect(await refusalOf(rawTx)).toBeNull();
    const shouted: Hex = `0x${keccak256(rawTx).slice(2).toUpperCase()}`;
    expect(await refusalOf(rawTx, shouted)).toBeNull();
    const { chainId, ...anywhere } = { ...transfer, type: 'legacy', gasPrice: 1n } as const;
    expect(chainId).toBe(1);
    const { maxFeePerGas, maxPriorityFeePerGas, ...legacy } = anywhere;
    expect(maxFeePerGas).toBeGreaterThan(maxPriorityFeePerGas);
    expect(await refusalOf(await holder.signTransaction(legacy))).toBeNull();
  });

  it('S6: are refused under the hash of other bytes, which nobody could follow', async () => {
    const rawTx = await holder.signTransaction(transfer);
    const other = keccak256(await holder.signTransaction({ ...transfer, value: 2n }));
    expect(await refusalOf(rawTx, other)).toEqual(refused('/txHash', /not the hash/));
  });

  it.each([
    ['another nonce', { ...transfer, nonce: 8 }, /for nonce 8, not 7/],
    ['another chain', { ...transfer, chainId: 5 }, /for chain 5, not 1/],
  ])('S1: are refused when they are signed for %s', async (_, transaction, detail) => {
    const rawTx = await holder.signTransaction(transaction);
    expect(await refusalOf(rawTx)).toEqual(refused('/rawTx', detail));
  });

  it('S13: are refused when another account signed them, or nobody', async () => {
    const foreign = await stranger.signTransaction(transfer);
    expect(await refusalOf(foreign)).toEqual(refused('/rawTx', /is signed by 0x/));
    const unsigned = serializeTransaction(transfer);
    expect(await refusalOf(unsigned)).toEqual(refused('/rawTx', /no valid signature/));
  });

  it('S13: are proven by the first signer of a submitter only, where signers cost too much', async () => {
    const transactions = new ViemSignedTransactions();
    const first = intentCheck(transactions, async () => held, 'first');
    const refusalOfFirst = async (rawTx: Hex): Promise<unknown> =>
      first({ id: ID }, { txHash: keccak256(rawTx), rawTx }).then(
        () => null,
        (error: unknown) => error,
      );
    const foreign = await stranger.signTransaction(transfer);
    expect(await refusalOfFirst(foreign)).toEqual(refused('/rawTx', /is signed by 0x/));
    expect(await refusalOfFirst(await holder.signTransaction(transfer))).toBeNull();
    const recovered = jest.spyOn(transactions, 'sender');
    expect(await refusalOfFirst(await holder.signTransaction(transfer))).toBeNull();
    expect(recovered).not.toHaveBeenCalled();
  });

  it('of a type that nobody here can decode are held to their hash alone', async () => {
    expect(await refusalOf('0x7bc0ffee')).toBeNull();
    expect(await refusalOf('0x7bc0ffee', keccak256('0x7b'))).toEqual(refused('/txHash', /not the/));
  });

  it('are not asked for', async () => {
    await expect(check({ id: ID }, { txHash: keccak256('0x01') })).resolves.toBeUndefined();
  });
});
