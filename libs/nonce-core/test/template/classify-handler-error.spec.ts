import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Contract, JsonRpcProvider, Wallet, makeError, parseEther } from 'ethers';
import { errors as undiciErrors, request as undiciRequest } from 'undici';
import {
  createPublicClient,
  createWalletClient,
  custom,
  http,
  parseAbi,
  RpcRequestError,
  type Hex,
} from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { mainnet } from 'viem/chains';
import { NonceError } from '../../src/domain/errors/nonce-error';
import {
  classifyHandlerError,
  findHandlerErrorRow,
  HANDLER_ERRORS,
} from '../../src/template/classify-handler-error';

const account = mnemonicToAccount('test test test test test test test test test test test junk');
const to: Hex = '0x00000000000000000000000000000000000000aa';
const abi = parseAbi(['function pay(uint256 amount)', 'function paid() view returns (uint256)']);

/** A node that answers what the test wants, over real HTTP. */
let node: Server;
let url: string;
let answer: (method: string) => { status?: number; body?: unknown; hang?: boolean };

beforeAll(async () => {
  node = createServer((incoming, outgoing) => {
    let text = '';
    incoming.on('data', (chunk: Buffer) => (text += chunk.toString()));
    incoming.on('end', () => {
      const { id, method } = JSON.parse(text === '' ? '{}' : text) as {
        id: number;
        method: string;
      };
      const { status = 200, body, hang } = answer(method);
      if (hang === true) return;
      outgoing.writeHead(status, { 'content-type': 'application/json' });
      outgoing.end(JSON.stringify({ jsonrpc: '2.0', id, ...(body as object) }));
    });
  });
  await new Promise<void>((resolve) => node.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(node.address() as AddressInfo).port}`;
});

afterAll(async () => {
  node.closeAllConnections();
  await new Promise((resolve) => node.close(resolve));
});

async function errorOf(work: () => unknown): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

const RPC: Readonly<Record<string, unknown>> = {
  eth_chainId: '0x1',
  eth_blockNumber: '0x10',
  eth_getTransactionCount: '0x5',
  eth_estimateGas: '0x5208',
  eth_gasPrice: '0x3b9aca00',
  eth_maxPriorityFeePerGas: '0x3b9aca00',
};

/** A viem wallet on a node that fails one method. */
function walletFailing(method: string, error: { code: number; message: string; data?: Hex }) {
  const request = async (call: { method: string }) => {
    if (call.method === method)
      throw new RpcRequestError({ body: call, error, url: 'http://node' });
    return RPC[call.method];
  };
  return createWalletClient({
    account,
    chain: mainnet,
    transport: custom({ request }, { retryCount: 0 }),
  });
}

const transfer = {
  to,
  value: 1n,
  nonce: 5,
  type: 'legacy',
  gasPrice: 1_000_000_000n,
} as const;

/** Dialect, what happened, what it proves, and the real thing. */
const CASES: readonly [string, 'clean' | 'exposed', () => Promise<unknown>][] = [
  [
    'viem: gas could not be estimated, so nothing was signed',
    'clean',
    () =>
      errorOf(() =>
        walletFailing('eth_estimateGas', {
          code: 3,
          message: 'execution reverted',
        }).sendTransaction({ ...transfer }),
      ),
  ],
  [
    'viem: the request was refused before it was signed',
    'clean',
    () =>
      errorOf(() =>
        walletFailing('none', { code: 0, message: '' }).sendTransaction({
          ...transfer,
          to: '0x12',
        }),
      ),
  ],
  [
    'viem: a request broke, or a node answered it with an error',
    'exposed',
    () =>
      errorOf(() =>
        walletFailing('eth_sendRawTransaction', {
          code: -32_000,
          message: 'some text that no table knows',
        }).sendTransaction({ ...transfer, gas: 21_000n }),
      ),
  ],
  [
    'viem: a contract call was refused by its simulation',
    'clean',
    () =>
      errorOf(() =>
        createPublicClient({
          chain: mainnet,
          transport: custom(
            {
              request: async () => {
                throw Object.assign(new Error('execution reverted'), { code: 3, data: '0x' });
              },
            },
            { retryCount: 0 },
          ),
        }).readContract({ address: to, abi, functionName: 'paid' }),
      ),
  ],
  [
    'viem: any other error of viem',
    'exposed',
    async () => new (await import('viem')).BaseError('a kind of error that no row names'),
  ],
  [
    'ethers: an argument or the signer was refused before sending',
    'clean',
    () => errorOf(() => parseEther('not a number')),
  ],
  [
    'ethers: gas could not be estimated, so nothing was signed',
    'clean',
    async () => {
      answer = (method) =>
        method === 'eth_estimateGas'
          ? { body: { error: { code: 3, message: 'execution reverted', data: '0x' } } }
          : { body: { result: RPC[method] ?? null } };
      const provider = new JsonRpcProvider(url, 1, { staticNetwork: true, batchMaxCount: 1 });
      const contract = new Contract(
        to,
        ['function pay(uint256 amount)'],
        new Wallet(`0x${'11'.repeat(32)}`, provider),
      );
      const failed = await errorOf(() => contract.getFunction('pay')(1));
      provider.destroy();
      return failed;
    },
  ],
  [
    'ethers: a contract call was refused by its simulation',
    'clean',
    async () => {
      answer = () => ({ body: { error: { code: 3, message: 'execution reverted', data: '0x' } } });
      const provider = new JsonRpcProvider(url, 1, { staticNetwork: true, batchMaxCount: 1 });
      const failed = await errorOf(() => provider.call({ to, data: '0x12345678' }));
      provider.destroy();
      return failed;
    },
  ],
  [
    'ethers: a request broke, a node answered with an error, or a sent transaction failed',
    'exposed',
    async () => {
      answer = () => ({ body: { error: { code: -32_000, message: 'nonce too low' } } });
      const provider = new JsonRpcProvider(url, 1, { staticNetwork: true, batchMaxCount: 1 });
      const signed = await account.signTransaction({ ...transfer, chainId: 1, gas: 21_000n });
      const failed = await errorOf(() => provider.send('eth_sendRawTransaction', [signed]));
      provider.destroy();
      return failed;
    },
  ],
  [
    'undici: the request could not be built',
    'clean',
    () => errorOf(() => undiciRequest(url, { method: 'POST', body: 5 as unknown as string })),
  ],
  [
    'undici: a request broke on its way',
    'exposed',
    async () => {
      answer = () => ({ hang: true });
      return errorOf(() => undiciRequest(url, { method: 'POST', body: '{}', headersTimeout: 20 }));
    },
  ],
  [
    'node: a connection broke, was refused or timed out',
    'exposed',
    () => errorOf(() => undiciRequest('http://127.0.0.1:1/', { method: 'POST', body: '{}' })),
  ],
  [
    'node: somebody stopped waiting for an answer',
    'exposed',
    async () => {
      answer = () => ({ hang: true });
      return errorOf(() => fetch(url, { signal: AbortSignal.timeout(20) }));
    },
  ],
  [
    'http: a server failed, was too slow or refused for load, or an HTTP client gave up',
    'exposed',
    async () => Object.assign(new Error('Bad gateway'), { status: 502 }),
  ],
  [
    'json-rpc: an error object of a node',
    'exposed',
    async () => ({ code: -32_603, message: 'something' }),
  ],
  ['plain: the text speaks of a request that broke', 'exposed', async () => new Error('timed out')],
  [
    'plain: the text is the answer of a node to a transaction',
    'exposed',
    async () => new Error('broadcast failed: already known'),
  ],
];

describe('what an error of a handler proves', () => {
  it.each(CASES)('%s: %s', async (row, verdict, make) => {
    const error = await make();
    const found = findHandlerErrorRow(error);
    expect(`${found?.dialect}: ${found?.meaning}`).toBe(row);
    expect(classifyHandlerError(error)).toBe(verdict);
  });

  it('has a case with a real error for every row', () => {
    const rows = HANDLER_ERRORS.map(({ dialect, meaning }) => `${dialect}: ${meaning}`);
    expect(new Set(CASES.map(([row]) => row))).toEqual(new Set(rows));
  });

  it("takes a business error of the handler's own for clean", () => {
    expect(classifyHandlerError(new Error('the customer is blocked'))).toBe('clean');
    expect(classifyHandlerError(new TypeError('x is not a function'))).toBe('clean');
    expect(classifyHandlerError(new NonceError('NONCE_VALIDATION'))).toBe('clean');
  });

  it('looks through wrappers at the causes', () => {
    const cause = new undiciErrors.SocketError('other side closed');
    expect(classifyHandlerError(new Error('payment failed', { cause }))).toBe('exposed');
    expect(classifyHandlerError(new AggregateError([cause], 'all failed'))).toBe('exposed');
  });

  it('takes anything that is no Error for exposed, because nothing is known of it', () => {
    for (const thrown of [undefined, null, 'oops', 5, {}]) {
      expect(classifyHandlerError(thrown)).toBe('exposed');
    }
  });

  it('takes a viem request that timed out, was reset or answered 503 for exposed', async () => {
    const client = createPublicClient({ transport: http(url, { retryCount: 0, timeout: 50 }) });
    answer = () => ({ hang: true });
    expect(classifyHandlerError(await errorOf(() => client.getBlockNumber()))).toBe('exposed');
    answer = () => ({ status: 503, body: {} });
    expect(classifyHandlerError(await errorOf(() => client.getBlockNumber()))).toBe('exposed');
    const closed = createPublicClient({ transport: http('http://127.0.0.1:1', { retryCount: 0 }) });
    expect(classifyHandlerError(await errorOf(() => closed.getBlockNumber()))).toBe('exposed');
  });

  it('takes a failed fetch of Node for exposed', async () => {
    const error = await errorOf(() => fetch('http://127.0.0.1:1/'));
    expect(classifyHandlerError(error)).toBe('exposed');
  });

  it('takes a transaction of ethers that was mined and reverted for exposed', () => {
    const error = makeError('transaction execution reverted', 'CALL_EXCEPTION', {
      action: 'sendTransaction',
      data: null,
      reason: null,
      invocation: null,
      revert: null,
      transaction: { to, data: '0x' },
    });
    expect(classifyHandlerError(error)).toBe('exposed');
  });

  it('takes a revert that a node told at sending for exposed, unlike one told at simulation', async () => {
    const sending = walletFailing('eth_sendRawTransaction', {
      code: 3,
      message: 'execution reverted',
    });
    const sent = await errorOf(() =>
      sending.writeContract({
        address: to,
        abi,
        functionName: 'pay',
        args: [1n],
        gas: 50_000n,
        gasPrice: 1n,
        nonce: 5,
      }),
    );
    expect(classifyHandlerError(sent)).toBe('exposed');
    const estimating = walletFailing('eth_estimateGas', { code: 3, message: 'execution reverted' });
    const estimated = await errorOf(() =>
      estimating.writeContract({
        address: to,
        abi,
        functionName: 'pay',
        args: [1n],
        gasPrice: 1n,
        nonce: 5,
      }),
    );
    expect(classifyHandlerError(estimated)).toBe('clean');
  });
});
