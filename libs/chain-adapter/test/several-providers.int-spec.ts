import type { Hex } from '@noncekit/nonce-core/domain';
import { observeChain, type ObservedChain } from './support/observed-chain';
import {
  blockText,
  CHAIN_ID,
  hashText,
  ScriptedNode,
  type NodeAnswer,
} from './support/scripted-node';

const ADDRESS: Hex = `0x${'12'.repeat(20)}`;
const TX = hashText('tx');
/** Long enough that a loaded machine does not look like a silent node. */
const TIMEOUT_MS = 1_000;
const KEY = 'SeCrEtKeY0123456789';

const count = (value: number): NodeAnswer => ({ result: `0x${value.toString(16)}` });
const refusal = (message: string, code = -32_000): NodeAnswer => ({ error: { code, message } });
const receiptOn = (number: number, fork = 'main', hash: Hex = TX): NodeAnswer => ({
  result: {
    transactionHash: hash,
    blockNumber: `0x${number.toString(16)}`,
    blockHash: hashText(`${fork} ${number}`),
    status: '0x1',
  },
});

describe('several providers of one chain', () => {
  let nodes: ScriptedNode[];
  let chain: ObservedChain;

  /** As many nodes as asked for, each with its own count, on one chain of ten blocks. */
  async function open(...counts: readonly number[]): Promise<void> {
    nodes = await Promise.all(counts.map(() => ScriptedNode.start()));
    nodes.forEach((node, i) => {
      node.says('eth_getTransactionCount', count(counts[i] ?? 0));
      node.says('eth_getTransactionReceipt', { result: null });
      node.says('eth_getTransactionByHash', { result: null });
      onFork(node, 'main');
    });
    connect();
  }

  function connect(path = ''): void {
    const rpcUrls = nodes.map((node) => node.url + path);
    chain = observeChain({ chainId: CHAIN_ID, rpcUrls, requestTimeoutMs: TIMEOUT_MS });
  }

  function onFork(node: ScriptedNode, fork: string, head = 10): void {
    node.on('eth_getBlockByNumber', ({ params }) => {
      const at = params[0] === 'latest' ? head : Number(params[0]);
      if (params[0] === 'finalized') return { result: blockText(2) };
      return { result: at > head ? null : blockText(at, fork) };
    });
  }

  const node = (i: number): ScriptedNode => nodes[i] as ScriptedNode;
  const latest = (): Promise<number> => chain.reader.transactionCount(ADDRESS, 'latest');
  const receipt = async () => (await chain.reader.receipts([TX])).get(TX);

  afterEach(() => Promise.all(nodes.map((each) => each.down())));

  describe('counts', () => {
    it('I-35: a provider that lags does not lower the count', async () => {
      await open(7, 2, 7);
      expect(await latest()).toBe(7);
    });

    it('S7: a provider that runs ahead alone does not raise it', async () => {
      await open(7, 900, 7);
      expect(await latest()).toBe(7);
    });

    it('the only provider that answers is believed', async () => {
      await open(7, 3);
      node(1).misbehaviour = 'reset';
      expect(await latest()).toBe(7);
    });

    it.each(['0x', '-0x1', '0xfffffffffffffffff', null, 5, 'NaN', {}])(
      'S14: %p is no answer',
      async (result) => {
        await open(7, 0);
        node(1).says('eth_getTransactionCount', { result });
        expect(await latest()).toBe(7);
      },
    );

    it('a tag that a node does not know is no answer', async () => {
      await open(7, 0);
      node(1).says('eth_getTransactionCount', refusal('invalid block tag', -32_602));
      expect(await chain.reader.transactionCount(ADDRESS, 'safe')).toBe(7);
    });

    it('without any answer the error names every provider and its trouble', async () => {
      await open(1, 2);
      node(0).misbehaviour = 'silent';
      node(1).says('eth_getTransactionCount', refusal('header not found'));
      await expect(latest()).rejects.toMatchObject({
        code: 'NONCE_CHAIN_UNREACHABLE',
        context: {
          providers: [
            { provider: node(0).url, problem: `no answer within ${TIMEOUT_MS} ms` },
            { provider: node(1).url, problem: 'header not found' },
          ],
        },
      });
    });
  });

  describe('blocks', () => {
    it('what most providers name at a height is the block there', async () => {
      await open(0, 0, 0);
      onFork(node(2), 'side');
      expect((await chain.reader.block(5))?.hash).toBe(hashText('main 5'));
    });

    it('a split is no answer', async () => {
      await open(0, 0);
      onFork(node(1), 'side');
      await expect(chain.reader.block(5)).rejects.toMatchObject({
        code: 'NONCE_CHAIN_UNREACHABLE',
      });
    });

    it('a provider that is behind does not hide a block', async () => {
      await open(0, 0);
      onFork(node(1), 'main', 3);
      expect((await chain.reader.block(5))?.number).toBe(5);
      expect((await chain.reader.block('latest'))?.number).toBe(3);
    });

    it('a node that says in words that nothing is final yet means just that', async () => {
      await open(0);
      node(0).on('eth_getBlockByNumber', ({ params }) =>
        params[0] === 'finalized' ? refusal('finalized block not found', -39_001) : undefined,
      );
      expect(await chain.reader.block('finalized')).toBeNull();
    });

    it('a block of another height is no answer', async () => {
      await open(0);
      await chain.reader.genesisHash();
      node(0).says('eth_getBlockByNumber', { result: blockText(6) });
      await expect(chain.reader.block(5)).rejects.toMatchObject({
        code: 'NONCE_CHAIN_UNREACHABLE',
      });
    });
  });

  describe('receipts', () => {
    it('are found when one provider has one on the block that all name', async () => {
      await open(0, 0);
      node(1).says('eth_getTransactionReceipt', receiptOn(5));
      expect(await receipt()).toEqual({
        kind: 'found',
        blockNumber: 5,
        blockHash: hashText('main 5'),
        succeeded: true,
      });
    });

    it('I-41: of a block that was undone elsewhere are not believed', async () => {
      await open(0, 0, 0);
      onFork(node(0), 'side');
      node(0).says('eth_getTransactionReceipt', receiptOn(5, 'side'));
      expect(await receipt()).toEqual({ kind: 'absent' });
    });

    it('are in doubt while two providers stand on two forks', async () => {
      await open(0, 0);
      onFork(node(0), 'side');
      node(0).says('eth_getTransactionReceipt', receiptOn(5, 'side'));
      expect(await receipt()).toMatchObject({ kind: 'unavailable' });
    });

    it('are absent only by an answer, never by silence', async () => {
      await open(0, 0);
      node(0).says('eth_getTransactionReceipt', refusal('internal error', -32_603));
      node(1).misbehaviour = 'silent';
      expect(await receipt()).toMatchObject({ kind: 'unavailable' });
      node(0).says('eth_getTransactionReceipt', { result: null });
      expect(await receipt()).toEqual({ kind: 'absent' });
    });

    it('of another transaction are no answer', async () => {
      await open(0);
      node(0).says('eth_getTransactionReceipt', receiptOn(5, 'main', hashText('other')));
      expect(await receipt()).toMatchObject({ kind: 'unavailable' });
    });

    it('are never mixed up when a provider drops or turns around members of a batch', async () => {
      await open(0);
      const hashes = ['a', 'b', 'c'].map((name) => hashText(name));
      node(0).on('eth_getTransactionReceipt', ({ params }) =>
        receiptOn(hashes.indexOf(params[0] as Hex) + 1, 'main', params[0] as Hex),
      );
      await chain.reader.genesisHash();
      node(0).misbehaviour = 'reversed-batch';
      const turned = await chain.reader.receipts(hashes);
      hashes.forEach((hash, i) => expect(turned.get(hash)).toMatchObject({ blockNumber: i + 1 }));
      node(0).misbehaviour = 'partial-batch';
      await waitUntilTrusted();
      const partial = await chain.reader.receipts(hashes);
      expect(partial.get(hashes[0] as Hex)).toMatchObject({ kind: 'unavailable' });
    });

    it('come one by one from a provider that takes no batches', async () => {
      await open(0);
      node(0).misbehaviour = 'no-batches';
      node(0).says('eth_getTransactionReceipt', { result: null });
      const hashes = Array.from({ length: 30 }, (_, i) => hashText(`tx ${i}`));
      const found = await chain.reader.receipts(hashes);
      expect([...found.values()]).toEqual(hashes.map(() => ({ kind: 'absent' })));
    });

    it('never throw, whatever is wrong', async () => {
      await open(0);
      await node(0).down();
      expect(await receipt()).toMatchObject({ kind: 'unavailable' });
      expect(await chain.reader.transaction(TX)).toBe('unavailable');
      expect(await chain.reader.receipts([])).toEqual(new Map());
    });
  });

  it('a transaction is pooled when one provider has it', async () => {
    await open(0, 0);
    node(1).says('eth_getTransactionByHash', { result: { hash: TX, blockHash: null } });
    expect(await chain.reader.transaction(TX)).toBe('pooled');
  });

  describe('broken answers', () => {
    it.each([
      'silent',
      'stalled-body',
      'reset',
      'garbage',
      { httpStatus: 429 },
      { httpStatus: 503 },
      { httpStatus: 401 },
      { httpStatus: 500, body: '{"jsonrpc":"2.0","id":1,"result":"0x63"}' },
      { httpStatus: 200, body: '{"jsonrpc":"2.0","id":77777,"result":"0x63"}' },
      { httpStatus: 200, body: '[]' },
      { httpStatus: 200, body: 'null' },
    ] as const)('%p never becomes a count, and ends in time', async (misbehaviour) => {
      await open(7, 0);
      await latest();
      node(1).misbehaviour = misbehaviour;
      const startMs = performance.now();
      expect(await latest()).toBe(7);
      expect(performance.now() - startMs).toBeLessThan(TIMEOUT_MS * 4);
    });
  });

  it('no key of a URL is ever shown', async () => {
    await open(1, 2);
    connect(`/v2/${KEY}?token=${KEY}`);
    node(0).misbehaviour = { httpStatus: 401, body: `bad key ${KEY}` };
    node(1).says(
      'eth_getTransactionCount',
      refusal(`key ${KEY} of ${node(1).url}/v2/${KEY} expired`),
    );
    node(1).says('eth_sendRawTransaction', refusal(`key ${KEY} expired`));
    const failure = await latest().catch((error: unknown) => error);
    const { message, context, stack } = failure as {
      message: string;
      context: unknown;
      stack: string;
    };
    const report = await chain.sender.send('0x1234');
    const shown = [
      message,
      stack,
      JSON.stringify([context, report]),
      chain.everythingSaid(),
    ].join();
    expect(shown).not.toContain(KEY);
    expect(shown).toContain('expired');
  });

  async function waitUntilTrusted(): Promise<void> {
    const before = node(0).misbehaviour;
    node(0).misbehaviour = 'none';
    await latest();
    node(0).misbehaviour = before;
  }
});
