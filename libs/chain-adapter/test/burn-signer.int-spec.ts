import { isNonceError, toChainId, type Hex, type Nonce } from '@noncekit/nonce-core/domain';
import type { BurnRequest, BurnSigning } from '@noncekit/nonce-core/ports';
import { startTestChain, type TestChain } from '@noncekit/test-support/test-chain';
import { parseTransaction, recoverTransactionAddress, toHex } from 'viem';
import { createBurnSigner, type BurnSignerOptions } from '../src/evm/create-burn-signer';
import { observeChain } from './support/observed-chain';

const GWEI = 10n ** 9n;
const OTHER_ACCOUNT: Hex = `0x${'77'.repeat(20)}`;

let node: TestChain;

beforeAll(async () => {
  node = await startTestChain({ noMining: true });
});
afterAll(() => node.close());

function keyOf(index: number): Hex {
  const key = node.account(index).getHdKey().privateKey;
  if (key === null) throw new Error('an account without a key');
  return toHex(key);
}

function signerOf(changes: Partial<BurnSignerOptions> = {}) {
  const chains = [{ chainId: node.chainId, rpcUrls: [node.rpcUrl] }];
  return createBurnSigner({ privateKeys: [keyOf(0), keyOf(1)], chains, ...changes });
}

function requestOf(account: number, changes: Partial<BurnRequest> = {}): BurnRequest {
  const address = node.account(account).address.toLowerCase() as Hex;
  const chainId = toChainId(node.chainId);
  return { chainId, address, nonce: 0 as Nonce, hashes: [], outbid: [], ...changes };
}

function signed(signing: BurnSigning): Extract<BurnSigning, { kind: 'signed' }> {
  if (signing.kind !== 'signed') throw new Error(JSON.stringify(signing));
  return signing;
}

describe('a burn signer with keys of its own', () => {
  it('signs a transfer of nothing to the account itself, which the chain takes and mines', async () => {
    const burn = signed(await signerOf().sign(requestOf(0)));
    const tx = parseTransaction(burn.rawTx);
    const { address } = node.account(0);
    expect(tx).toMatchObject({ type: 'eip1559', chainId: node.chainId, gas: 21_000n });
    expect([tx.nonce ?? 0, tx.value ?? 0n, tx.data]).toEqual([0, 0n, undefined]);
    expect(tx.to?.toLowerCase()).toBe(address.toLowerCase());
    const serializedTransaction = burn.rawTx as `0x02${string}`;
    expect(await recoverTransactionAddress({ serializedTransaction })).toBe(address);
    const chain = observeChain({ chainId: node.chainId, rpcUrls: [node.rpcUrl] });
    const report = await chain.sender.send(burn.rawTx);
    expect(report).toMatchObject({ outcome: 'accepted', txHash: burn.txHash });
    await node.mine();
    expect(await chain.reader.transactionCount(address, 'latest')).toBe(1);
  });

  it('L14: outbids an earlier burn and what a pool holds at the nonce, in both fees', async () => {
    const rival = await node.account(1).signTransaction({
      type: 'eip1559',
      chainId: node.chainId,
      nonce: 0,
      gas: 21_000n,
      maxFeePerGas: 80n * GWEI,
      maxPriorityFeePerGas: 4n * GWEI,
      to: OTHER_ACCOUNT,
      value: 1n,
    });
    const chain = observeChain({ chainId: node.chainId, rpcUrls: [node.rpcUrl] });
    const { txHash } = await chain.sender.send(rival);
    const first = signed(await signerOf().sign(requestOf(1, { hashes: [txHash] })));
    expect(parseTransaction(first.rawTx)).toMatchObject({
      maxFeePerGas: 90n * GWEI,
      maxPriorityFeePerGas: 4_500_000_000n,
    });
    expect(await chain.sender.send(first.rawTx)).toMatchObject({ outcome: 'accepted' });
    const second = signed(await signerOf().sign(requestOf(1, { outbid: [rival, first.rawTx] })));
    expect(parseTransaction(second.rawTx)).toMatchObject({
      maxFeePerGas: 101_250_000_000n,
      maxPriorityFeePerGas: 5_062_500_000n,
    });
    expect(await chain.sender.send(second.rawTx)).toMatchObject({ outcome: 'accepted' });
  });

  it('refuses an account whose key it lacks, a chain it does not know, and a fee above its bound', async () => {
    const unknown = await signerOf().sign(requestOf(5));
    expect(unknown).toMatchObject({ kind: 'refused', reason: expect.stringContaining('no key') });
    const elsewhere = await signerOf().sign(requestOf(0, { chainId: toChainId(1) }));
    expect(elsewhere).toMatchObject({ kind: 'refused' });
    const dear = await signerOf({ maxFeeGwei: 1 }).sign(requestOf(0));
    expect(dear).toMatchObject({ kind: 'refused', reason: expect.stringContaining('gwei') });
  });

  it('has no answer while no node names a price', async () => {
    const chains = [{ chainId: node.chainId, rpcUrls: ['http://127.0.0.1:9'] }];
    expect(await signerOf({ chains }).sign(requestOf(0))).toMatchObject({ kind: 'unavailable' });
  });

  it('is not made of bad keys, and never shows one', () => {
    const bad: Hex = `0x${'00'.repeat(32)}`;
    try {
      signerOf({ privateKeys: [keyOf(0), bad, '0x1234'] });
      throw new Error('accepted');
    } catch (error) {
      if (!isNonceError(error, 'NONCE_CONFIG_INVALID')) throw error;
      const pointers = error.errors.map(({ pointer }) => pointer);
      expect(pointers).toEqual(['/privateKeys/1', '/privateKeys/2']);
      expect(JSON.stringify(error.errors)).not.toContain('0x');
    }
  });
});

it('asks for a gas price where blocks have no base fee', async () => {
  const old = await startTestChain({ noMining: true, parameters: ['--hardfork', 'berlin'] });
  try {
    const chains = [{ chainId: old.chainId, rpcUrls: [old.rpcUrl] }];
    const { rawTx } = signed(await signerOf({ chains }).sign(requestOf(0)));
    expect(parseTransaction(rawTx)).toMatchObject({ type: 'legacy', chainId: old.chainId });
    const chain = observeChain({ chainId: old.chainId, rpcUrls: [old.rpcUrl] });
    expect(await chain.sender.send(rawTx)).toMatchObject({ outcome: 'accepted' });
  } finally {
    await old.close();
  }
});
