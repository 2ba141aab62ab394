import { startTestChain, type TestChain } from '@noncekit/test-support/test-chain';
import { observeChain } from './support/observed-chain';
import { ScriptedNode, hashText } from './support/scripted-node';

const ADDRESS = `0x${'12'.repeat(20)}`;

/** The misbehaving node is only worth something if it behaves when it is told to. */
describe('the scripted node in pass-through mode', () => {
  let chain: TestChain;
  let node: ScriptedNode;

  beforeAll(async () => {
    chain = await startTestChain();
    node = await ScriptedNode.start({ upstream: chain.rpcUrl });
    await chain.mine(3);
  });

  afterAll(async () => {
    await node.down();
    await chain.close();
  });

  const ask = async (url: string, body: unknown): Promise<unknown> => {
    const headers = { 'content-type': 'application/json', connection: 'close' };
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
    return response.json();
  };
  const request = (id: number, method: string, params: unknown[]) => ({
    jsonrpc: '2.0',
    id,
    method,
    params,
  });
  const EVERYTHING_WE_ASK = [
    request(1, 'eth_chainId', []),
    request(2, 'eth_getBlockByNumber', ['0x0', false]),
    request(3, 'eth_getBlockByNumber', ['finalized', false]),
    request(4, 'eth_getBlockByNumber', ['0x999', false]),
    request(5, 'eth_getTransactionCount', [ADDRESS, 'latest']),
    request(6, 'eth_getTransactionCount', [ADDRESS, 'finalized']),
    request(7, 'eth_getTransactionReceipt', [hashText('nothing')]),
    request(8, 'eth_getTransactionByHash', [hashText('nothing')]),
    request(9, 'eth_sendRawTransaction', ['0x1234']),
    request(10, 'eth_nonsense', []),
  ];

  it.each(EVERYTHING_WE_ASK)('answers $method $params as the real node does', async (single) => {
    expect(await ask(node.url, single)).toEqual(await ask(chain.rpcUrl, single));
  });

  it('answers a batch as the real node does', async () => {
    expect(await ask(node.url, EVERYTHING_WE_ASK)).toEqual(
      await ask(chain.rpcUrl, EVERYTHING_WE_ASK),
    );
  });

  it('serves the adapter as the real node does', async () => {
    const direct = observeChain({ chainId: chain.chainId, rpcUrls: [chain.rpcUrl] }).reader;
    const through = observeChain({ chainId: chain.chainId, rpcUrls: [node.url] }).reader;
    expect(await through.genesisHash()).toBe(await direct.genesisHash());
    expect(await through.block('latest')).toEqual(await direct.block('latest'));
  });
});
