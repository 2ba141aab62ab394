import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * A network between one client process and Redis. It can lose replies of commands that were
 * executed, break, and lead to another server from one moment to the next.
 */
export class RedisLine {
  /** Replies lost so far. */
  lost = 0;
  private toLose = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private port: number,
  ) {}

  static async to(port: number): Promise<RedisLine> {
    const server = createServer((client) => {
      line.join(client);
    });
    const line = new RedisLine(server, port);
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return line;
  }

  get url(): string {
    return `redis://127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  /** Loses the next `count` replies, each with its connection. */
  loseReplies(count: number): void {
    this.toLose = count;
  }

  /** From now on another server answers; connections to the former one break. */
  lead(port: number): void {
    this.port = port;
    this.break();
  }

  break(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.break();
    await new Promise((closed) => this.server.close(closed));
  }

  private join(client: Socket): void {
    const upstream = connect({ host: '127.0.0.1', port: this.port });
    const cut = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      this.sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', cut).on('close', () => {
        this.sockets.delete(socket);
        cut();
      });
    }
    let ran = false;
    client.on('data', (request: Buffer) => {
      // Only a script's answer matters; the greeting of a connection is left alone.
      ran ||= request.includes('EVALSHA') || request.includes('evalsha');
      upstream.write(request);
    });
    upstream.on('data', (answer: Buffer) => {
      if (ran && this.toLose > 0) {
        this.toLose -= 1;
        this.lost += 1;
        cut();
        return;
      }
      client.write(answer);
    });
  }
}
