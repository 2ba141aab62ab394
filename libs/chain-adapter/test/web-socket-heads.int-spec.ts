import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Logger } from '@noncekit/nonce-core/ports';
import { startTestChain } from '@noncekit/test-support/test-chain';
import { waitFor } from '@noncekit/test-support/wait-for';
import { WebSocketServer } from 'ws';
import { createEvmChain } from '../src/evm/create-evm-chain';
import { HeadSocket } from '../src/evm/head-socket';
import { ProviderUrl } from '../src/evm/provider-url';
import { WebSocketHeads } from '../src/evm/web-socket-heads';
import { profileOf } from './support/observed-chain';

const KEY = '0123456789abcdef';
const PING_MS = 50;

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Keeps what is logged. */
function recorder(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  const write = (text: string, fields?: object) => lines.push(`${text} ${JSON.stringify(fields)}`);
  return { lines, debug: write, info: write, warn: write, error: write };
}

/** A provider that answers subscriptions as a test says; `announce` tells all subscribers of a head. */
async function provider(
  answer: object | null = { result: '0x1' },
  { port = 0, autoPong = true } = {},
) {
  const server = new WebSocketServer({ host: '127.0.0.1', port, autoPong });
  await once(server, 'listening');
  const asked: unknown[] = [];
  let connections = 0;
  server.on('connection', (socket) => {
    connections += 1;
    socket.on('message', (data) => {
      asked.push(JSON.parse((data as Buffer).toString()));
      if (answer !== null) socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, ...answer }));
    });
  });
  const send = (text: string) => {
    for (const client of server.clients) client.send(text);
  };
  const close = async () => {
    for (const client of server.clients) client.terminate();
    server.close();
    await once(server, 'close');
  };
  return {
    ...{ asked, send, close },
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    announce: () => {
      const params = { subscription: '0x1', result: { number: '0x1' } };
      send(JSON.stringify({ jsonrpc: '2.0', method: 'eth_subscription', params }));
    },
  };
}

/** Listens with short pauses; `heads` counts the notices. */
function listen(port: number) {
  const logger = recorder();
  let count = 0;
  const socket = new HeadSocket({
    url: new ProviderUrl(`ws://127.0.0.1:${String(port)}/${KEY}`),
    logger,
    onHead: () => (count += 1),
    pingMs: PING_MS,
    firstPauseMs: 5,
  });
  socket.open();
  ends.push(() => {
    socket.end();
  });
  return { logger, socket, heads: () => count };
}

const reaches = (count: () => number, wanted: number, describe: string) =>
  waitFor(() => count() >= wanted, { describe });

it('a real chain announces its blocks, once listened to and until that ends', async () => {
  const chain = await startTestChain({ noMining: true });
  ends.push(() => chain.close());
  const configured = createEvmChain({
    profile: profileOf(chain.chainId),
    rpcUrls: [chain.rpcUrl],
    wsUrls: [chain.rpcUrl.replace('http', 'ws')],
  });
  let count = 0;
  const end = configured.heads?.listen(() => (count += 1));
  await reaches(() => count, 1, 'the look at the beginning');
  await chain.mine();
  await reaches(() => count, 2, 'the first block');
  await chain.mine();
  await reaches(() => count, 3, 'the second block');
  end?.();
  await chain.mine();
  expect(await configured.reader.block(3)).not.toBeNull();
  expect(count).toBe(3);
});

it('several providers announce each for themselves; one that is away keeps no other from it', async () => {
  const [one, other] = [await provider(), await provider()];
  ends.push(one.close);
  const wsUrls = [one.port, other.port].map((port) => `ws://127.0.0.1:${String(port)}`);
  await other.close();
  let count = 0;
  const heads = new WebSocketHeads({
    wsUrls: [...wsUrls, `${wsUrls[0] ?? ''}/`],
    logger: recorder(),
  });
  ends.push(heads.listen(() => (count += 1)));
  await reaches(() => count, 1, 'a subscription');
  one.announce();
  await reaches(() => count, 2, 'a head');
  // The same address in two spellings is one provider.
  expect(one.asked).toEqual([
    { jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params: ['newHeads'] },
  ]);
});

it('connects again when the provider comes back, and looks, because a head may have been missed', async () => {
  const before = await provider();
  const { heads, logger } = listen(before.port);
  await reaches(heads, 1, 'a subscription');
  await before.close();
  await waitFor(() => logger.lines.length > 0, { describe: 'the loss' });
  const after = await provider(undefined, { port: before.port });
  ends.push(after.close);
  await reaches(heads, 2, 'another subscription');
  after.announce();
  await reaches(heads, 3, 'a head');
  expect(logger.lines).toHaveLength(2);
  expect(logger.lines[0]).toMatch(/heads are not announced.*polled meanwhile/);
  expect(logger.lines[1]).toContain('heads are announced again');
});

it('leaves a connection that has gone silent, as a cut cable leaves it', async () => {
  const silent = await provider(undefined, { autoPong: false });
  ends.push(silent.close);
  const { heads } = listen(silent.port);
  await reaches(silent.connections, 2, 'a second connection');
  await reaches(heads, 2, 'another subscription');
});

it('asks a provider that refuses more and more rarely, says so once, and shows no key', async () => {
  const refusing = await provider({ error: { code: -32_601, message: `no such method ${KEY}` } });
  ends.push(refusing.close);
  const { heads, logger } = listen(refusing.port);
  await reaches(refusing.connections, 4, 'four attempts');
  expect(heads()).toBe(0);
  expect(logger.lines).toHaveLength(1);
  expect(logger.lines[0]).toContain('no such method');
  expect(logger.lines.join()).not.toContain(KEY);
});

it('is disturbed by nothing that it did not ask for', async () => {
  const chatty = await provider();
  ends.push(chatty.close);
  const { heads, logger } = listen(chatty.port);
  await reaches(heads, 1, 'a subscription');
  for (const text of ['', '{', '[]', 'null', '{"id":7,"result":"0x2"}', '{"method":"hello"}']) {
    chatty.send(text);
  }
  chatty.announce();
  await reaches(heads, 2, 'a head');
  expect([chatty.connections(), logger.lines]).toEqual([1, []]);
});

it('refuses addresses that are none, all at once', () => {
  const open = () =>
    createEvmChain({
      profile: profileOf(1),
      rpcUrls: ['http://127.0.0.1:1'],
      wsUrls: ['http://127.0.0.1:1', 'nonsense'],
    });
  expect(open).toThrow(
    expect.objectContaining({
      errors: ['/wsUrls/0', '/wsUrls/1'].map((pointer) => ({
        pointer,
        detail: 'must be a ws or wss URL',
      })),
    }),
  );
});
