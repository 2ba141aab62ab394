import { privateKeyToAccount } from 'viem/accounts';
import { keccak256 } from 'viem';
import type { Hex } from '../../src/domain/brand';
import { isNonceError } from '../../src/domain/errors/nonce-error';
import type { Nonce } from '../../src/domain/nonce';
import { toChainId } from '../../src/domain/submitter';
import { burnSignerOf } from '../../src/module/tracking/burn-signer-of';
import { CheckedBurnSigner } from '../../src/module/tracking/checked-burn-signer';
import type { BurnRequest, BurnSigner, BurnSigning } from '../../src/ports/burn-signer.port';
import { ViemSignedTransactions } from '../../src/viem/viem-signed-transactions';

const TRANSACTIONS = new ViemSignedTransactions();
const [OWN, OTHER] = [1, 2].map((n) => privateKeyToAccount(`0x${String(n).repeat(64)}`)) as [
  ReturnType<typeof privateKeyToAccount>,
  ReturnType<typeof privateKeyToAccount>,
];
const REQUEST: BurnRequest = {
  chainId: toChainId(31_337),
  address: OWN.address.toLowerCase() as Hex,
  nonce: 5 as Nonce,
  hashes: [],
  outbid: [],
};

async function burnOf(changes: { nonce?: number; chainId?: number; by?: typeof OWN } = {}) {
  const { nonce = 5, chainId = 31_337, by = OWN } = changes;
  const fees = { maxFeePerGas: 2n, maxPriorityFeePerGas: 1n, gas: 21_000n } as const;
  const rawTx = await by.signTransaction({ chainId, nonce, to: OWN.address, value: 0n, ...fees });
  return { kind: 'signed', rawTx, txHash: keccak256(rawTx) } as const;
}

function checked(sign: BurnSigner['sign'], timeoutMs?: number): Promise<BurnSigning> {
  return new CheckedBurnSigner({ sign }, TRANSACTIONS, timeoutMs).sign(REQUEST);
}

describe("a host's burn signer", () => {
  it('is taken at its word when its bytes are what was asked for', async () => {
    const burn = await burnOf();
    expect(await checked(() => Promise.resolve(burn))).toEqual(burn);
  });

  it.each([
    ['nonce', () => burnOf({ nonce: 6 }), /nonce 6/],
    ['chain', () => burnOf({ chainId: 1 }), /chain 1/],
    ['account', () => burnOf({ by: OTHER }), /account 0x/],
    ['hash', async () => ({ ...(await burnOf()), txHash: keccak256('0x00') }), /another hash/],
  ])('S16: is refused with bytes of another %s', async (_, sign, reason) => {
    const answer = await checked(sign);
    if (answer.kind !== 'refused') throw new Error(JSON.stringify(answer));
    expect(answer.reason).toMatch(reason);
  });

  it('has given no answer when it throws', async () => {
    const broken = await checked(() => Promise.reject(new Error('the key service is away')));
    expect(broken).toEqual({ kind: 'unavailable', cause: 'the key service is away' });
  });

  it('L5: is not waited for without end', async () => {
    const answer = await checked(() => new Promise(() => undefined), 20);
    expect(answer).toMatchObject({ kind: 'unavailable' });
  });
});

describe('burn as the policy', () => {
  it('is refused where periodic work runs and nobody can sign, with what to do', () => {
    const quarantine = { ms: 1_000, release: 'burn' } as const;
    try {
      burnSignerOf({ burnSigner: null, quarantine }, TRANSACTIONS);
      throw new Error('accepted');
    } catch (error) {
      if (!isNonceError(error, 'NONCE_CONFIG_INVALID')) throw error;
      expect(error.errors).toMatchObject([{ pointer: '/quarantine/release' }]);
      expect(error.errors[0]?.detail).toMatch(/burnSigner.*NONCE_BURN_KEYS_FILE/);
    }
  });

  it.each(['replacement', 'hold'] as const)('needs no signer under %s', (release) => {
    const quarantine = { ms: 1_000, release };
    expect(burnSignerOf({ burnSigner: null, quarantine }, TRANSACTIONS)).toBeNull();
  });
});
