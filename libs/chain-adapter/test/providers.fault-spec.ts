import { isNonceError, toChainId, type Hex } from '@noncekit/nonce-core/domain';
import { NO_METRICS } from '@noncekit/nonce-core/ports';
import { startTestChain, type TestChain } from '@noncekit/test-support/test-chain';
import { waitFor } from '@noncekit/test-support/wait-for';
import { keccak256 } from 'viem';
import { Provider } from '../src/evm/provider';
import { ProviderPool } from '../src/evm/provider-pool';
import { ProviderUrl } from '../src/evm/provider-url';
import { RpcEndpoint } from '../src/evm/rpc-endpoint';
import { createChainRegistry, createEvmChain } from '../src/index';
import { observeChain, profileOf, type ObservedChain } from './support/observed-chain';
import {
  blockText,
  CHAIN_ID,
  hashText,
  ScriptedNode,
  type NodeAnswer,
} from './support/scripted-node';

const ADDRESS: Hex = `0x${'12'.repeat(20)}`;
const RAW: Hex = '0x02c0ffee';
/** Long, since a loaded machine must not look like a silent node. */
const PATIENT_MS = 10_000;
/** For tests in which a node is silent. */
const TIMEOUT_MS = 1_000;

describe('providers that fail, lie about their chain, or answer badly', () => {
  const opened: ScriptedNode[] = [];

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((node) => node.down()));
  });

  async function open(transactionCount = 7): Promise<ScriptedNode> {
    const node = await ScriptedNode.start();
    opened.push(node);
    const result = `0x${transactionCount.toString(16)}`;
    return node.says('eth_getTransactionCount', { result });
  }

  const connect = (...nodes: readonly ScriptedNode[]): ObservedChain =>
    connectFor(PATIENT_MS, ...nodes);
  const connectFor = (requestTimeoutMs: number, ...nodes: readonly ScriptedNode[]): ObservedChain =>
    observeChain({ chainId: CHAIN_ID, rpcUrls: nodes.map((node) => node.url), requestTimeoutMs });
  const latest = (chain: ObservedChain): Promise<number> =>
    chain.reader.transactionCount(ADDRESS, 'latest');
  const ofAnotherGenesis = async (): Promise<ScriptedNode> =>
    (await open(900)).says('eth_getBlockByNumber', {
      result: { ...blockText(0), hash: hashText('other genesis') },
    });

  describe('identity', () => {
    it('L13: a provider of another chain id is named and refused', async () => {
      const foreign = (await open(900)).says('eth_chainId', { result: '0x1' });
      const chain = connect(foreign);
      const failure: unknown = await latest(chain).catch((error: unknown) => error);
      expect(isNonceError(failure, 'NONCE_CHAIN_MISMATCH')).toBe(true);
      expect((failure as Error).message).toContain(foreign.url);
      expect((failure as Error).message).toContain('chain 1, not 4242');
      expect(foreign.count('eth_getTransactionCount')).toBe(0);
    });

    it('L13: a provider of another genesis is never asked while others serve the chain', async () => {
      const foreign = await ofAnotherGenesis();
      const chain = connect(await open(), foreign, await open());
      expect(await latest(chain)).toBe(7);
      expect(await chain.sender.send(RAW)).toMatchObject({ outcome: 'unknown' });
      expect(foreign.count('eth_getTransactionCount')).toBe(0);
      expect(foreign.count('eth_sendRawTransaction')).toBe(0);
      expect(chain.lines).toContainEqual(
        expect.objectContaining({
          level: 'error',
          fields: expect.objectContaining({ provider: foreign.url, code: 'NONCE_CHAIN_MISMATCH' }),
        }),
      );
    });

    it('L13: two providers that name two genesis blocks are both refused', async () => {
      const chain = connect(await open(), await ofAnotherGenesis());
      await expect(latest(chain)).rejects.toMatchObject({ code: 'NONCE_CHAIN_MISMATCH' });
      expect(await chain.sender.send(RAW)).toMatchObject({ outcome: 'unknown' });
    });

    it('L13: a provider that comes back with another chain is not believed again', async () => {
      const [good, bad] = [await open(), await open(7)];
      const chain = connect(good, bad);
      await latest(chain);
      await bad.down();
      expect(await latest(chain)).toBe(7);
      bad
        .says('eth_chainId', { result: '0x1' })
        .says('eth_getTransactionCount', { result: '0x63' });
      await bad.up();
      await waitFor(
        async () => {
          expect(await latest(chain)).toBe(7);
          return chain.lines.some(({ level }) => level === 'error');
        },
        { describe: 'the provider to be refused' },
      );
    });

    it('L13: even a provider that never fails proves its chain again after a while', async () => {
      const node = await open();
      let nowMs = 0;
      const logger = { debug: noop, info: noop, warn: noop, error: noop };
      const url = new ProviderUrl(node.url);
      const endpoint = new RpcEndpoint({ url, timeoutMs: TIMEOUT_MS, metrics: NO_METRICS });
      const provider = new Provider({ endpoint, logger, nowMs: () => nowMs });
      const chainId = toChainId(CHAIN_ID);
      const pool = new ProviderPool({ chainId, providers: [provider], identityMaxAgeMs: 1_000 });
      await pool.usable();
      nowMs = 999;
      node.says('eth_getBlockByNumber', { result: { hash: hashText('reset') } });
      expect(await pool.usable()).toHaveLength(1);
      nowMs = 1_000;
      await expect(pool.usable()).rejects.toMatchObject({ code: 'NONCE_CHAIN_RESET' });
    });

    it('no answer counts before the chain is proven, and one proof serves all callers', async () => {
      const node = await open();
      const chain = connect(node);
      await Promise.all(Array.from({ length: 20 }, () => latest(chain)));
      expect(node.requests.slice(0, 2).map(({ method }) => method)).toEqual([
        'eth_chainId',
        'eth_getBlockByNumber',
      ]);
      expect(node.count('eth_chainId')).toBe(1);
    });
  });

  describe('health', () => {
    it('L12: nonce-class answers never lower the health of a provider', async () => {
      const node = await open();
      node.says('eth_sendRawTransaction', {
        error: { code: -32_603, message: 'Transaction nonce too low' },
      });
      const chain = connect(node);
      for (let i = 0; i < 20; i += 1) {
        expect(await chain.sender.send(RAW)).toMatchObject({ outcome: 'nonce-too-low' });
      }
      expect(await latest(chain)).toBe(7);
      expect(node.count('eth_chainId')).toBe(1);
      expect(chain.lines).toEqual([]);
    });

    it('a dead provider costs one time-out, not one per call', async () => {
      const [good, dead] = [await open(), await open()];
      const chain = connectFor(TIMEOUT_MS, good, dead);
      await latest(chain);
      dead.misbehaviour = 'silent';
      const startMs = performance.now();
      for (let i = 0; i < 20; i += 1) expect(await latest(chain)).toBe(7);
      expect(performance.now() - startMs).toBeLessThan(TIMEOUT_MS * 3);
    });

    it('L12: a dead provider is looked at ever more rarely', async () => {
      const [good, dead] = [await open(), await open()];
      const chain = connect(good, dead);
      await latest(chain);
      dead.misbehaviour = 'reset';
      const seen = dead.requests.length;
      const endMs = performance.now() + 1_000;
      let calls = 0;
      while (performance.now() < endMs) {
        await latest(chain);
        calls += 1;
      }
      expect(calls).toBeGreaterThan(50);
      // One failed call, then looks after 250 and 750 ms; each look is two requests.
      expect(dead.requests.length - seen).toBeLessThanOrEqual(1 + 3 * 2);
    });

    it('a provider that comes back is used again', async () => {
      const [a, b] = [await open(7), await open(7)];
      const chain = connect(a, b);
      await latest(chain);
      await b.down();
      await latest(chain);
      await b.up();
      const before = b.count('eth_getTransactionCount');
      await waitFor(
        async () => {
          await latest(chain);
          return b.count('eth_getTransactionCount') > before;
        },
        { describe: 'the provider to be asked again' },
      );
    });

    it('when all are gone every call tries again, and the first one that can, succeeds', async () => {
      const node = await open();
      const chain = connect(node);
      await node.down();
      for (let i = 0; i < 5; i += 1) {
        await expect(latest(chain)).rejects.toMatchObject({ code: 'NONCE_CHAIN_UNREACHABLE' });
      }
      await node.up();
      expect(await latest(chain)).toBe(7);
    });

    it('requests are counted by method and result', async () => {
      const [good, bad] = [await open(), await open()];
      bad.says('eth_getTransactionCount', { error: { code: 1, message: 'no' } });
      const chain = connectFor(TIMEOUT_MS, good, bad);
      await latest(chain);
      const name = 'nonce_rpc_requests_total';
      const method = 'eth_getTransactionCount';
      expect(chain.counted({ name, method, result: 'ok' })).toBe(1);
      expect(chain.counted({ name, method, result: 'error' })).toBe(1);
      expect(chain.counted({ name, method: 'eth_chainId', result: 'ok' })).toBe(2);
      bad.misbehaviour = 'silent';
      await latest(chain);
      expect(chain.counted({ name, method, result: 'timeout' })).toBe(1);
    });
  });

  describe('sending', () => {
    const refuse = (message: string, code = -32_000): NodeAnswer => ({ error: { code, message } });
    const accept: NodeAnswer = { result: keccak256(RAW) };
    const send = async (...answers: readonly (NodeAnswer | 'silent')[]) => {
      const nodes = await Promise.all(answers.map(() => open()));
      const chain = connectFor(answers.includes('silent') ? TIMEOUT_MS : PATIENT_MS, ...nodes);
      await latest(chain);
      nodes.forEach((node, i) => {
        const answer = answers[i];
        if (answer === 'silent' || answer === undefined) node.misbehaviour = 'silent';
        else node.says('eth_sendRawTransaction', answer);
      });
      return { report: await chain.sender.send(RAW), nodes, chain };
    };

    it('the bytes go to every provider, and one that takes them is enough', async () => {
      const { report, nodes } = await send(
        refuse('nonce too low'),
        accept,
        refuse('txpool is full'),
      );
      expect(report).toEqual({ outcome: 'accepted', txHash: keccak256(RAW), detail: null });
      for (const node of nodes) expect(node.count('eth_sendRawTransaction')).toBe(1);
    });

    it('nobody waits for a silent provider once another took the bytes', async () => {
      const startMs = performance.now();
      const { report } = await send('silent', accept);
      expect(report.outcome).toBe('accepted');
      expect(performance.now() - startMs).toBeLessThan(TIMEOUT_MS);
    });

    it.each([
      ['already-known', ['nonce too low', 'already known']],
      ['nonce-too-low', ['nonce too low', 'replacement transaction underpriced']],
      ['replacement-underpriced', ['replacement transaction underpriced', 'nonce too high']],
      ['not-accepted-now', ['intrinsic gas too low', 'insufficient funds for transfer']],
      ['nonce-too-high', ['intrinsic gas too low', 'nonce too high']],
      ['never-executable', ['intrinsic gas too low', 'no idea']],
      ['unknown', ['no idea', 'too many requests']],
    ])('%s is what %j prove together', async (outcome, messages) => {
      const { report } = await send(...messages.map((message) => refuse(message)));
      expect(report.outcome).toBe(outcome);
    });

    it('I-01: silence everywhere proves nothing', async () => {
      const { report } = await send('silent', 'silent');
      expect(report).toMatchObject({ outcome: 'unknown', txHash: keccak256(RAW) });
      expect(report.detail).toContain(`no answer within ${TIMEOUT_MS} ms`);
    });

    it('I-01: no reachable provider is no failure of the transaction', async () => {
      const node = await open();
      await node.down();
      expect(await connect(node).sender.send(RAW)).toMatchObject({ outcome: 'unknown' });
    });

    it('I-09: the hash of another transaction proves nothing about ours, and is logged', async () => {
      const { report, chain } = await send({ result: hashText('another') });
      expect(report.outcome).toBe('unknown');
      expect(chain.lines).toContainEqual(
        expect.objectContaining({
          level: 'error',
          fields: expect.objectContaining({
            txHash: keccak256(RAW),
            answered: hashText('another'),
          }),
        }),
      );
    });

    it('I-09: -32603 with words is read by its words', async () => {
      const { report } = await send(refuse('Transaction nonce too low', -32_603));
      expect(report.outcome).toBe('nonce-too-low');
      const hidden = {
        code: -32_603,
        message: 'Internal error',
        data: { message: 'nonce too low' },
      };
      expect((await send({ error: hidden })).report.outcome).toBe('nonce-too-low');
    });

    it('words nobody taught us prove nothing, are passed on shortened, and are logged', async () => {
      const { report, chain } = await send(refuse('gobbledygook '.repeat(100)));
      expect(report.outcome).toBe('unknown');
      expect(report.detail?.length).toBeLessThan(310);
      expect(chain.lines).toContainEqual(expect.objectContaining({ level: 'warn' }));
    });

    it.each([429, 500, 502])(
      'HTTP %i proves nothing, whatever its body says',
      async (httpStatus) => {
        const node = await open();
        const chain = connect(node);
        await latest(chain);
        const error = { code: -32_000, message: 'already known' };
        node.misbehaviour = {
          httpStatus,
          body: JSON.stringify({ jsonrpc: '2.0', id: null, error }),
        };
        expect(await chain.sender.send(RAW)).toMatchObject({ outcome: 'unknown' });
      },
    );
  });
});

describe('a chain that is replaced or paused behind its URL', () => {
  let node: TestChain;

  beforeEach(async () => {
    node = await startTestChain();
  });

  afterEach(() => node.close());

  const outcome = (chain: ObservedChain): Promise<unknown> =>
    chain.reader.transactionCount(ADDRESS, 'latest').catch((error: unknown) => error);

  it('L13: another genesis after a restart is NONCE_CHAIN_RESET', async () => {
    const chain = observeChain({ chainId: node.chainId, rpcUrls: [node.rpcUrl] });
    expect(await outcome(chain)).toBe(0);
    const startedAt = seconds();
    await node.server.kill();
    expect(await outcome(chain)).toMatchObject({ code: 'NONCE_CHAIN_UNREACHABLE' });
    // The genesis of a development chain differs only by the second in which it was started.
    await waitFor(() => seconds() > startedAt, { describe: 'the next second' });
    await node.server.restart();
    expect(await outcome(chain)).toMatchObject({ code: 'NONCE_CHAIN_RESET' });
    await expect(chain.reader.genesisHash()).rejects.toMatchObject({ code: 'NONCE_CHAIN_RESET' });
  });

  it('a node that stands still and goes on is used again', async () => {
    const { chainId, rpcUrl } = node;
    const chain = observeChain({ chainId, rpcUrls: [rpcUrl], requestTimeoutMs: TIMEOUT_MS });
    expect(await outcome(chain)).toBe(0);
    node.server.pause();
    // A process may still answer for a moment after it was told to stand still.
    const unreachable = async (): Promise<boolean> =>
      isNonceError(await outcome(chain), 'NONCE_CHAIN_UNREACHABLE');
    await waitFor(unreachable, { describe: 'the node to stand still' });
    node.server.resume();
    const used = async (): Promise<boolean> => (await outcome(chain)) === 0;
    await waitFor(used, { describe: 'the node to be used again' });
  });
});

describe('configuration', () => {
  it('names every problem at once', () => {
    const rpcUrls = ['nonsense', 'ws://127.0.0.1:1', 'http://127.0.0.1:1'];
    expect(() => createEvmChain({ profile: profileOf(1), rpcUrls, requestTimeoutMs: 0 })).toThrow(
      expect.objectContaining({
        code: 'NONCE_CONFIG_INVALID',
        errors: [
          { pointer: '/rpcUrls/0', detail: expect.any(String) },
          { pointer: '/rpcUrls/1', detail: expect.any(String) },
          { pointer: '/requestTimeoutMs', detail: expect.any(String) },
        ],
      }),
    );
    expect(() => createEvmChain({ profile: profileOf(1), rpcUrls: [] })).toThrow(
      'at least one URL',
    );
  });

  it('a URL given twice is one provider: it could only vouch for itself', async () => {
    const node = await ScriptedNode.start();
    node.says('eth_getTransactionCount', { result: '0x7' });
    const chain = observeChain({ chainId: CHAIN_ID, rpcUrls: [node.url, `${node.url}/`] });
    await chain.reader.transactionCount(ADDRESS, 'latest');
    expect(node.count('eth_getTransactionCount')).toBe(1);
    await node.down();
  });

  it('a registry finds chains by id and refuses two of the same', () => {
    const chains = [1, 10].map((chainId) =>
      createEvmChain({ profile: profileOf(chainId), rpcUrls: ['http://127.0.0.1:1'] }),
    );
    const registry = createChainRegistry(chains);
    expect(registry.find(toChainId(10))).toBe(chains[1]);
    expect(registry.find(toChainId(5))).toBeUndefined();
    expect(registry.all).toEqual(chains);
    expect(() => createChainRegistry([...chains, ...chains])).toThrow(/configured twice/);
  });
});

const seconds = (): number => Math.floor(Date.now() / 1_000);

function noop(): void {
  return undefined;
}
