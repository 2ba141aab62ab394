import type { Hex, SubmissionOutcome } from '@noncekit/nonce-core/domain';
import { startTestChain } from '@noncekit/test-support/test-chain';
import { keccak256 } from 'viem';
import { mnemonicToAccount, type HDAccount } from 'viem/accounts';
import { observeChain, type ObservedChain } from './support/observed-chain';
import { CLIENTS, refuse } from './support/client-words';
import { ScriptedChain, type ScriptedChainOptions } from './support/scripted-chain';
import type { Refusal } from './support/scripted-pool';
import { ScriptedProvider } from './support/scripted-provider';

const GWEI = 10n ** 9n;
const ETHER = 10n ** 18n;
const RECIPIENT: Hex = `0x${'12'.repeat(20)}`;
const NOWHERE: Hex = `0x${'34'.repeat(32)}`;
const WORDS = 'test test test test test test test test test test test junk';

/** What both chains offer to the promises below. Nothing is mined unless told. */
interface ChainUnderTest {
  readonly chainId: number;
  readonly url: string;
  account(index: number): HDAccount;
  mine(blocks?: number): Promise<void>;
  reorg(depth: number): Promise<void>;
  close(): Promise<void>;
}

async function anvil(): Promise<ChainUnderTest> {
  const chain = await startTestChain({ noMining: true });
  return {
    chainId: chain.chainId,
    url: chain.rpcUrl,
    account: chain.account,
    mine: (blocks) => chain.mine(blocks),
    async reorg(depth) {
      await chain.server.rpc('anvil_reorg', [depth, []]);
    },
    close: () => chain.close(),
  };
}

async function scripted(): Promise<ChainUnderTest> {
  const account = (addressIndex: number) => mnemonicToAccount(WORDS, { addressIndex });
  const indexes = Array.from({ length: 10 }, (_, index) => index);
  const balances = new Map(indexes.map((i) => [account(i).address, 10_000n * ETHER]));
  const chain = new ScriptedChain({ chainId: 31_337, balances });
  const provider = await ScriptedProvider.start(chain);
  return {
    chainId: chain.chainId,
    url: provider.url,
    account,
    mine: async (blocks) => chain.mine(blocks),
    reorg: async (depth) => chain.reorg(depth, { reinject: false }),
    close: () => provider.node.down(),
  };
}

/** One suite for both, so that what holds on the scripted chain is worth something. */
describe.each([
  ['anvil', anvil],
  ['the scripted chain', scripted],
])('%s', (_, start) => {
  let node: ChainUnderTest;
  let chain: ObservedChain;
  /** An account per test, on one chain for all: what a test leaves in the pool is its own. */
  let wallet: HDAccount;
  let lastAccount = -1;

  beforeAll(async () => {
    node = await start();
    chain = observeChain({ chainId: node.chainId, rpcUrls: [node.url] });
  });

  beforeEach(() => {
    lastAccount += 1;
    wallet = node.account(lastAccount % 10);
  });

  afterAll(() => node.close());

  const rpc = async (method: string, params: readonly unknown[]): Promise<unknown> => {
    const headers = { 'content-type': 'application/json', connection: 'close' };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const response = await fetch(node.url, { method: 'POST', headers, body });
    return ((await response.json()) as { result?: unknown }).result;
  };
  const latest = () => chain.reader.transactionCount(wallet.address, 'latest');
  const pending = () => chain.reader.transactionCount(wallet.address, 'pending');
  const sign = async (changes: Record<string, unknown> = {}): Promise<Hex> =>
    wallet.signTransaction({
      type: 'eip1559',
      chainId: node.chainId,
      nonce: await latest(),
      gas: 21_000n,
      maxFeePerGas: 20n * GWEI,
      maxPriorityFeePerGas: 2n * GWEI,
      to: RECIPIENT,
      value: 1n,
      ...changes,
    });
  const send = async (changes: Record<string, unknown> = {}) =>
    chain.sender.send(await sign(changes));

  it('names its chain and a genesis without parent', async () => {
    expect(await rpc('eth_chainId', [])).toBe('0x7a69');
    const genesis = await chain.reader.block(0);
    expect(genesis).toMatchObject({ number: 0, parentHash: `0x${'0'.repeat(64)}` });
    expect(genesis?.hash).toBe(await chain.reader.genesisHash());
  });

  it('links its blocks by their parents, and finds them by number and by hash', async () => {
    await node.mine(3);
    const head = await chain.reader.block('latest');
    if (head === null) throw new Error('a chain without head');
    const parent = await chain.reader.block(head.number - 1);
    expect(head.parentHash).toBe(parent?.hash);
    expect(await rpc('eth_getBlockByHash', [head.hash, false])).toMatchObject({
      hash: head.hash,
      parentHash: parent?.hash,
    });
    expect(await chain.reader.block(head.number + 1)).toBeNull();
    expect(await rpc('eth_getBlockByHash', [NOWHERE, false])).toBeNull();
    expect(await chain.reader.block('finalized')).toEqual(await chain.reader.block(0));
  });

  it('counts at latest what is mined, at pending what the pool continues, gaps left out', async () => {
    const before = await latest();
    await send();
    await send({ nonce: before + 1 });
    await send({ nonce: before + 3 });
    expect([await latest(), await pending()]).toEqual([before, before + 2]);
    await node.mine();
    expect([await latest(), await pending()]).toEqual([before + 2, before + 2]);
    expect(await chain.reader.transactionCount(wallet.address, 'finalized')).toBe(0);
    await send();
    await node.mine();
    expect(await latest()).toBe(before + 4);
  });

  it('shows a transaction as absent, pooled and mined, and its receipt in its block', async () => {
    const rawTx = await sign();
    const hash = keccak256(rawTx);
    const receipt = async () => (await chain.reader.receipts([hash])).get(hash);
    expect([await chain.reader.transaction(hash), await receipt()]).toEqual([
      'absent',
      { kind: 'absent' },
    ]);
    expect(await chain.sender.send(rawTx)).toMatchObject({ outcome: 'accepted', txHash: hash });
    expect([await chain.reader.transaction(hash), await receipt()]).toEqual([
      'pooled',
      { kind: 'absent' },
    ]);
    await node.mine();
    const head = await chain.reader.block('latest');
    const found = { kind: 'found', blockNumber: head?.number, blockHash: head?.hash };
    expect(await chain.reader.transaction(hash)).toBe('mined');
    expect(await receipt()).toEqual({ ...found, succeeded: true });
  });

  it('I-06: has the same bytes already, in the pool', async () => {
    const rawTx = await sign();
    await chain.sender.send(rawTx);
    expect(await chain.sender.send(rawTx)).toMatchObject({ outcome: 'already-known' });
  });

  it('I-09: calls a used nonce too low, for other bytes and for the same', async () => {
    const rawTx = await sign();
    await chain.sender.send(rawTx);
    const other = await sign({ value: 2n });
    await node.mine();
    expect(await chain.sender.send(other)).toMatchObject({ outcome: 'nonce-too-low' });
    expect(await chain.sender.send(rawTx)).toMatchObject({ outcome: 'nonce-too-low' });
  });

  // Anvil takes any higher price for enough; the clients' own rule is the scripted chain's below.
  const OFFERS: readonly (readonly [bigint, SubmissionOutcome])[] = [
    [110n, 'accepted'],
    [100n, 'replacement-underpriced'],
    [95n, 'replacement-underpriced'],
  ];

  it.each(OFFERS)('I-22: a replacement at %i %% of both fees is %s', async (percent, outcome) => {
    const first = await send();
    const maxFeePerGas = (20n * GWEI * percent) / 100n;
    const maxPriorityFeePerGas = (2n * GWEI * percent) / 100n;
    const second = await send({ maxFeePerGas, maxPriorityFeePerGas, value: 7n });
    expect(second).toMatchObject({ outcome });
    await node.mine();
    const [mined, gone] = outcome === 'accepted' ? [second, first] : [first, second];
    expect(await chain.reader.transaction(mined.txHash)).toBe('mined');
    expect(await chain.reader.transaction(gone.txHash)).toBe('absent');
  });

  const REFUSED: readonly (readonly [SubmissionOutcome, Record<string, unknown>])[] = [
    ['never-executable', { gas: 20_000n }],
    ['never-executable', { gas: 10n ** 9n }],
    ['never-executable', { chainId: 1 }],
    ['not-accepted-now', { maxFeePerGas: 1n, maxPriorityFeePerGas: 1n }],
    ['not-accepted-now', { value: 10n ** 30n }],
  ];

  it.each(REFUSED)('says %s to a transfer with %p, and keeps nothing of it', async (...refused) => {
    const [outcome, changes] = refused;
    const report = await send(changes);
    expect(report).toMatchObject({ outcome });
    expect(await chain.reader.transaction(report.txHash)).toBe('absent');
  });

  it('takes no bytes that are no transaction', async () => {
    expect(await chain.sender.send('0x1234')).toMatchObject({ outcome: 'never-executable' });
  });

  it('charges what is sent and the gas of the sending', async () => {
    const balance = async (address: Hex) =>
      BigInt(String(await rpc('eth_getBalance', [address, 'latest'])));
    const [before, hers] = [await balance(wallet.address), await balance(RECIPIENT)];
    await send({ value: ETHER });
    await node.mine();
    const spent = before - (await balance(wallet.address)) - ETHER;
    expect((await balance(RECIPIENT)) - hers).toBeGreaterThanOrEqual(ETHER);
    expect(spent).toBeGreaterThan(21_000n * 2n * GWEI);
    expect(spent).toBeLessThanOrEqual(21_000n * 20n * GWEI);
  });

  it('I-41: takes receipt, count and blocks back when its last blocks are undone', async () => {
    const before = await latest();
    const { txHash } = await send();
    await node.mine(2);
    const undone = await chain.reader.block('latest');
    await node.reorg(2);
    expect((await chain.reader.receipts([txHash])).get(txHash)).toEqual({ kind: 'absent' });
    expect(await latest()).toBe(before);
    const now = await chain.reader.block(undone?.number ?? 0);
    expect(now?.hash).not.toBe(undone?.hash);
  });

  it('a delegated account: an authorisation raises its count without a transaction of its own', async () => {
    const authority = node.account((lastAccount + 5) % 10);
    const countOf = () => chain.reader.transactionCount(authority.address, 'latest');
    const before = await countOf();
    const authorization = await authority.signAuthorization?.({
      chainId: node.chainId,
      address: RECIPIENT,
      nonce: before,
    });
    const type = 'eip7702';
    const accepted = await send({ type, authorizationList: [authorization], gas: 100_000n });
    expect(accepted).toMatchObject({ outcome: 'accepted' });
    await node.mine();
    expect(await countOf()).toBe(before + 1);
    const code = await rpc('eth_getCode', [authority.address, 'latest']);
    expect(code).toBe(`0xef0100${RECIPIENT.slice(2)}`);
    expect(await rpc('eth_getCode', [RECIPIENT, 'latest'])).toBe('0x');
  });
});

/** What anvil does not do. */
describe('the scripted chain alone', () => {
  const wallet = mnemonicToAccount(WORDS, { addressIndex: 0 });
  const balances = new Map([[wallet.address, ETHER]]);
  const open = async (rules: Partial<ScriptedChainOptions> = {}) => {
    const chain = new ScriptedChain({ chainId: 31_337, balances, ...rules });
    const provider = await ScriptedProvider.start(chain);
    opened.push(provider);
    const rpcUrls = [provider.url];
    return { chain, provider, adapter: observeChain({ chainId: chain.chainId, rpcUrls }) };
  };
  const opened: ScriptedProvider[] = [];
  const sign = (nonce: number, changes: Record<string, unknown> = {}): Promise<Hex> =>
    wallet.signTransaction({
      type: 'eip1559',
      chainId: 31_337,
      nonce,
      gas: 21_000n,
      maxFeePerGas: 20n * GWEI,
      maxPriorityFeePerGas: 2n * GWEI,
      to: RECIPIENT,
      value: 1n,
      ...changes,
    });

  afterEach(() => Promise.all(opened.splice(0).map((provider) => provider.node.down())));

  it.each([
    [110n, 110n, 'accepted'],
    [109n, 110n, 'replacement-underpriced'],
    [110n, 109n, 'replacement-underpriced'],
  ])('I-22: a replacement at %i %% of the cap and %i %% of the tip is %s', async (...offer) => {
    const [cap, tip, outcome] = offer;
    const { adapter } = await open();
    await adapter.sender.send(await sign(0));
    const maxFeePerGas = (20n * GWEI * cap) / 100n;
    const maxPriorityFeePerGas = (2n * GWEI * tip) / 100n;
    const bumped = await sign(0, { maxFeePerGas, maxPriorityFeePerGas });
    expect(await adapter.sender.send(bumped)).toMatchObject({ outcome });
  });

  it.each([64, 16])('takes %i nonces of an account and no more', async (depth) => {
    const { adapter } = await open({ depth });
    const outcomeAt = async (nonce: number) =>
      (await adapter.sender.send(await sign(nonce))).outcome;
    expect(await outcomeAt(depth - 1)).toBe('accepted');
    expect(await outcomeAt(depth)).toBe('nonce-too-high');
  });

  it('I-44: takes one of a delegated account', async () => {
    const { adapter } = await open({ depth: 1 });
    expect(await adapter.sender.send(await sign(0))).toMatchObject({ outcome: 'accepted' });
    expect(await adapter.sender.send(await sign(1))).toMatchObject({ outcome: 'in-flight-limit' });
  });

  it('I-45: refuses a gap where it is strict, and takes the nonce after its predecessor', async () => {
    const { adapter } = await open({ refusesGaps: true });
    const second = await sign(1);
    expect(await adapter.sender.send(second)).toMatchObject({ outcome: 'nonce-too-high' });
    await adapter.sender.send(await sign(0));
    expect(await adapter.sender.send(second)).toMatchObject({ outcome: 'accepted' });
  });

  const REFUSALS: Readonly<Record<Refusal, SubmissionOutcome>> = {
    'not-a-transaction': 'never-executable',
    'other-chain': 'never-executable',
    'already-known': 'already-known',
    'nonce-too-low': 'nonce-too-low',
    'nonce-too-high': 'nonce-too-high',
    'intrinsic-gas': 'never-executable',
    'block-gas-limit': 'never-executable',
    'insufficient-funds': 'not-accepted-now',
    underpriced: 'not-accepted-now',
    'replacement-underpriced': 'replacement-underpriced',
    'in-flight-limit': 'in-flight-limit',
  };

  it.each(CLIENTS)(
    'I-05, I-06, I-09: every refusal in the words of %s is understood',
    async (client) => {
      const { provider, adapter } = await open();
      const rawTx = await sign(0);
      for (const [refusal, outcome] of Object.entries(REFUSALS)) {
        provider.node.says('eth_sendRawTransaction', refuse(client, refusal as Refusal));
        expect([refusal, (await adapter.sender.send(rawTx)).outcome]).toEqual([refusal, outcome]);
      }
    },
  );

  it('I-09, L12: answers of the nonce class never lower the health of a provider', async () => {
    const { chain, provider, adapter } = await open();
    const rawTx = await sign(0);
    chain.mine();
    await adapter.sender.send(rawTx);
    chain.mine();
    provider.client = 'reth';
    for (let i = 0; i < 20; i += 1) {
      expect(await adapter.sender.send(rawTx)).toMatchObject({ outcome: 'nonce-too-low' });
    }
    // A provider that failed would have to name its chain again first.
    expect(provider.node.count('eth_chainId')).toBe(1);
    expect(await adapter.reader.transactionCount(wallet.address, 'latest')).toBe(1);
    expect(provider.node.count('eth_chainId')).toBe(1);
  });

  it('I-09: internal errors, lost replies and rate limits prove nothing about the bytes', async () => {
    const { chain, provider, adapter } = await open();
    const fates = ['internal-error', 'not-reached', 'rate-limited', 'reply-lost'] as const;
    for (const [nonce, fate] of fates.entries()) {
      provider.fates.push(fate);
      const rawTx = await sign(nonce);
      expect(await adapter.sender.send(rawTx)).toMatchObject({ outcome: 'unknown' });
      expect(chain.pool.find(keccak256(rawTx)) !== undefined).toBe(fate === 'reply-lost');
    }
  });

  it('I-41, S15: one lagging and one leading provider of three change no count and no block', async () => {
    const { chain, provider, adapter } = await open();
    const others = [await ScriptedProvider.start(chain), await ScriptedProvider.start(chain)];
    opened.push(...others);
    const rpcUrls = [provider, ...others].map(({ url }) => url);
    const three = observeChain({ chainId: chain.chainId, rpcUrls });
    await adapter.sender.send(await sign(0));
    chain.mine(4);
    const head = await adapter.reader.block('latest');
    others[0]!.lagBlocks = 4;
    others[1]!.countsAhead = 7;
    expect(await three.reader.transactionCount(wallet.address, 'latest')).toBe(1);
    others[1]!.countsAhead = 0;
    expect(await three.reader.transactionCount(wallet.address, 'latest')).toBe(1);
    expect(await three.reader.block('latest')).toEqual(head);
  });
});
