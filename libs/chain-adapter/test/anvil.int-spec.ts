import type { Hex, SubmissionOutcome } from '@noncekit/nonce-core/domain';
import { startTestChain, type TestChain } from '@noncekit/test-support/test-chain';
import { waitFor } from '@noncekit/test-support/wait-for';
import { keccak256 } from 'viem';
import type { HDAccount } from 'viem/accounts';
import { observeChain, type ObservedChain } from './support/observed-chain';

const GWEI = 10n ** 9n;
const RECIPIENT: Hex = `0x${'12'.repeat(20)}`;

describe('a real chain', () => {
  let node: TestChain;
  let chain: ObservedChain;
  let wallet: HDAccount;

  beforeEach(async () => {
    node = await startTestChain({ noMining: true });
    chain = observeChain({ chainId: node.chainId, rpcUrls: [node.rpcUrl] });
    wallet = node.account(0);
  });

  afterEach(() => node.close());

  const sign = (changes: Record<string, unknown> = {}): Promise<Hex> =>
    wallet.signTransaction({
      type: 'eip1559',
      chainId: node.chainId,
      nonce: 0,
      gas: 21_000n,
      maxFeePerGas: 20n * GWEI,
      maxPriorityFeePerGas: GWEI,
      to: RECIPIENT,
      value: 1n,
      ...changes,
    });

  it('a transfer goes from the pool into a block, and its receipt is found', async () => {
    const raw = await sign();
    const txHash = keccak256(raw);
    expect(await chain.reader.transaction(txHash)).toBe('absent');
    expect(await chain.sender.send(raw)).toEqual({ outcome: 'accepted', txHash, detail: null });
    expect(await chain.reader.transaction(txHash)).toBe('pooled');
    expect((await chain.reader.receipts([txHash])).get(txHash)).toEqual({ kind: 'absent' });
    await node.mine();
    const receipt = await waitFor(
      async () => {
        const found = (await chain.reader.receipts([txHash])).get(txHash);
        return found?.kind === 'found' ? found : undefined;
      },
      { describe: 'the receipt' },
    );
    const block = await chain.reader.block(1);
    expect(receipt).toEqual({
      kind: 'found',
      blockNumber: 1,
      blockHash: block?.hash,
      succeeded: true,
    });
    expect(await chain.reader.transaction(txHash)).toBe('mined');
    expect(await chain.reader.transactionCount(wallet.address, 'latest')).toBe(1);
  });

  it('a transaction whose execution failed has a receipt that says so', async () => {
    const reverting = '0x60006000fd';
    const raw = await sign({ to: null, value: 0n, gas: 90_000n, data: reverting });
    const { txHash } = await chain.sender.send(raw);
    await node.mine();
    const receipt = await waitFor(
      async () => {
        const found = (await chain.reader.receipts([txHash])).get(txHash);
        return found?.kind === 'found' ? found : undefined;
      },
      { describe: 'the receipt' },
    );
    expect(receipt).toMatchObject({ succeeded: false });
  });

  it('a short chain has its genesis as finalized block, and no block beyond its head', async () => {
    const genesis = await chain.reader.block(0);
    expect(await chain.reader.block('finalized')).toEqual(genesis);
    expect(await chain.reader.genesisHash()).toBe(genesis?.hash);
    expect(await chain.reader.block(999)).toBeNull();
    expect(await chain.reader.transactionCount(wallet.address, 'finalized')).toBe(0);
  });

  it('I-20: the pending count is only given where it is asked for', async () => {
    await chain.sender.send(await sign({ nonce: 5 }));
    const { address } = wallet;
    expect(await chain.reader.transactionCount(address, 'latest')).toBe(0);
  });

  it('the same bytes again are already known', async () => {
    const raw = await sign();
    await chain.sender.send(raw);
    expect(await chain.sender.send(raw)).toMatchObject({ outcome: 'already-known' });
  });

  it('I-09: bytes whose nonce somebody used are not a success, and the hash stays theirs', async () => {
    await chain.sender.send(await sign());
    await node.mine();
    await waitFor(async () => (await chain.reader.block('latest'))?.number === 1, {
      describe: 'the block',
    });
    const raw = await sign({ value: 2n });
    const report = await chain.sender.send(raw);
    expect(report).toEqual({
      outcome: 'nonce-too-low',
      txHash: keccak256(raw),
      detail: 'nonce too low',
    });
    expect((await chain.reader.receipts([report.txHash])).get(report.txHash)).toEqual({
      kind: 'absent',
    });
  });

  it('I-22: a cheaper transaction at a pooled nonce is underpriced, not a used nonce', async () => {
    await chain.sender.send(await sign());
    const cheaper = await sign({ maxFeePerGas: 19n * GWEI });
    expect(await chain.sender.send(cheaper)).toMatchObject({ outcome: 'replacement-underpriced' });
  });

  const REFUSED: readonly (readonly [SubmissionOutcome, Record<string, unknown>])[] = [
    ['never-executable', { gas: 20_000n }],
    ['never-executable', { gas: 10n ** 9n }],
    ['never-executable', { chainId: 1 }],
    ['not-accepted-now', { maxFeePerGas: 1n, maxPriorityFeePerGas: 1n }],
    ['not-accepted-now', { value: 10n ** 30n }],
  ];

  it.each(REFUSED)('%s for a transfer with %p', async (outcome, changes) => {
    const report = await chain.sender.send(await sign(changes));
    expect(report).toMatchObject({ outcome });
    expect(report.detail).not.toBeNull();
  });

  it('bytes that are no transaction can never execute', async () => {
    expect(await chain.sender.send('0x1234')).toMatchObject({ outcome: 'never-executable' });
  });

  it('S15: after a reorg the receipt is gone and the count is back', async () => {
    const { txHash } = await chain.sender.send(await sign());
    await node.mine(2);
    await waitFor(
      async () => (await chain.reader.receipts([txHash])).get(txHash)?.kind === 'found',
      { describe: 'the receipt' },
    );
    await node.server.rpc('anvil_reorg', [2, []]);
    expect((await chain.reader.receipts([txHash])).get(txHash)).toEqual({ kind: 'absent' });
    expect(await chain.reader.transactionCount(wallet.address, 'latest')).toBe(0);
  });

  it('a hundred and more receipts come back, each under its own hash', async () => {
    const raws = await Promise.all(Array.from({ length: 120 }, (_, nonce) => sign({ nonce })));
    for (const raw of raws) await chain.sender.send(raw);
    await node.mine();
    const hashes = raws.map((raw) => keccak256(raw));
    const receipts = await waitFor(
      async () => {
        const found = await chain.reader.receipts(hashes);
        return hashes.every((hash) => found.get(hash)?.kind === 'found') ? found : undefined;
      },
      { describe: 'all receipts' },
    );
    expect([...receipts.keys()]).toEqual(hashes);
  });
});
