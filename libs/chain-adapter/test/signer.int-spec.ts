import { toChainId, type Hex, type Nonce } from '@noncekit/nonce-core/domain';
import type { BumpRequest } from '@noncekit/nonce-core/ports';
import { startTestChain, type TestChain } from '@noncekit/test-support/test-chain';
import { keccak256, parseTransaction, toHex } from 'viem';
import { createSigner, type SignerOptions } from '../src/evm/create-signer';
import { observeChain } from './support/observed-chain';

const GWEI = 10n ** 9n;
const TO: Hex = `0x${'77'.repeat(20)}`;
const FEES = { maxFeePerGas: 20n * GWEI, maxPriorityFeePerGas: 2n * GWEI };

let node: TestChain;

beforeAll(async () => {
  node = await startTestChain({ noMining: true });
});
afterAll(() => node.close());

function signerOf(changes: Partial<SignerOptions> = {}) {
  const keys = [0, 1].map((index) => node.account(index).getHdKey().privateKey);
  const privateKeys = keys.map((key) => toHex(key ?? new Uint8Array()));
  const chains = [{ chainId: node.chainId, rpcUrls: [node.rpcUrl] }];
  return createSigner({ privateKeys, chains, ...changes });
}

async function originalOf(account: number): Promise<{ rawTx: Hex; request: BumpRequest }> {
  const work = { to: TO, value: 5n, data: '0xabcd', gas: 50_000n, nonce: 0 } as const;
  const chainId = toChainId(node.chainId);
  const rawTx = await node
    .account(account)
    .signTransaction({ type: 'eip1559', chainId, ...work, ...FEES });
  const address = node.account(account).address.toLowerCase() as Hex;
  const hashes = [keccak256(rawTx)];
  return {
    rawTx,
    request: { chainId, address, nonce: 0 as Nonce, rawTx, hashes, outbid: [rawTx] },
  };
}

describe('a signer of higher fees with keys of its own', () => {
  it('L14, I-22: signs the same work with both fees raised, and a pool takes it in place of the first', async () => {
    const { rawTx, request } = await originalOf(0);
    const chain = observeChain({ chainId: node.chainId, rpcUrls: [node.rpcUrl] });
    expect(await chain.sender.send(rawTx)).toMatchObject({ outcome: 'accepted' });
    const bump = await signerOf().bump(request);
    if (bump.kind !== 'signed') throw new Error(JSON.stringify(bump));
    const [old, next] = [parseTransaction(rawTx), parseTransaction(bump.rawTx)];
    expect([next.to, next.value, next.data, next.gas, next.nonce]).toEqual([
      old.to,
      old.value,
      old.data,
      old.gas,
      old.nonce,
    ]);
    expect((next.maxFeePerGas ?? 0n) * 10n).toBeGreaterThanOrEqual(FEES.maxFeePerGas * 11n);
    const tip = next.maxPriorityFeePerGas ?? 0n;
    expect(tip * 10n).toBeGreaterThanOrEqual(FEES.maxPriorityFeePerGas * 11n);
    expect(await chain.sender.send(bump.rawTx)).toMatchObject({
      outcome: 'accepted',
      txHash: bump.txHash,
    });
    await node.mine();
    const receipts = await chain.reader.receipts([bump.txHash, ...request.hashes]);
    expect([...receipts.values()].map(({ kind }) => kind)).toEqual(['found', 'absent']);
  });

  it('refuses accounts it has no key of, chains it does not know and fees above its bound', async () => {
    const { request } = await originalOf(1);
    expect(await signerOf().bump({ ...request, address: TO })).toMatchObject({ kind: 'refused' });
    const chainId = toChainId(1);
    expect(await signerOf().bump({ ...request, chainId })).toMatchObject({ kind: 'refused' });
    expect(await signerOf({ maxFeeGwei: 1 }).bump(request)).toMatchObject({
      kind: 'refused',
      reason: expect.stringMatching(/the bound is 1/) as string,
    });
  });
});
