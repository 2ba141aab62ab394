import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { Leftovers } from './jest/leftovers';

const NO_GRACE_MS = 0;

describe('what a test file leaves behind', () => {
  it('is nothing when everything was closed', async () => {
    const leftovers = new Leftovers();
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const closed = once(server, 'close');
    server.close();
    await closed;
    expect(await leftovers.collect()).toEqual([]);
  });

  it('names a listening server and the connections to it', async () => {
    const leftovers = new Leftovers();
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = connect(port, '127.0.0.1');
    await once(client, 'connect');
    const found = (await leftovers.collect(NO_GRACE_MS)).join();
    expect(found).toContain(
      `server on {"address":"127.0.0.1","family":"IPv4","port":${String(port)}}`,
    );
    expect(found).toContain(`connection to 127.0.0.1:${String(port)}`);
    client.destroy();
    leftovers.end();
    expect(await leftovers.collect()).toEqual([]);
  });

  it('names a child process and ends it', async () => {
    const leftovers = new Leftovers();
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    const found = (await leftovers.collect(NO_GRACE_MS)).join();
    expect(found).toBe(`process ${String(child.pid)} (sleep 60)`);
    leftovers.end();
    expect(await leftovers.collect()).toEqual([]);
  });

  it('counts timers that still run', async () => {
    const leftovers = new Leftovers();
    const timer = setInterval(() => undefined, 60_000);
    expect(await leftovers.collect(NO_GRACE_MS)).toEqual(['1 timer(s)']);
    clearInterval(timer);
    expect(await leftovers.collect()).toEqual([]);
  });
});
