import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Postgres' message types that matter here. */
const READY_FOR_QUERY = 'Z'.charCodeAt(0);
const HEADER_BYTES = 5;

/**
 * A network between a client and Postgres that can lose replies. A reply is lost only after the
 * server has said ReadyForQuery, that is after the commit; then both sides are cut off.
 */
export class CuttingProxy {
  /** Statements whose reply was lost so far. */
  lost = 0;
  private remaining = 0;
  private wanted: RegExp = /$^/;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly target: { readonly host: string; readonly port: number },
  ) {}

  static async start(databaseUrl: string): Promise<CuttingProxy> {
    const { hostname: host, port } = new URL(databaseUrl);
    const server = createServer((client) => {
      proxy.join(client);
    });
    const proxy = new CuttingProxy(server, { host, port: Number(port) });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return proxy;
  }

  /** The same database through this proxy. */
  through(databaseUrl: string): string {
    const url = new URL(databaseUrl);
    url.hostname = '127.0.0.1';
    url.port = String((this.server.address() as AddressInfo).port);
    return url.href;
  }

  /** Loses the replies of the next `count` statements of this kind. */
  loseReplies(statement: RegExp, count: number): void {
    this.wanted = statement;
    this.remaining = count;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((closed) => this.server.close(closed));
  }

  private join(client: Socket): void {
    const upstream = connect(this.target);
    const reply = new ReplyWatch();
    let doomed = false;
    const cut = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      this.sockets.add(socket);
      socket.on('error', cut).on('close', () => {
        this.sockets.delete(socket);
        cut();
      });
    }
    client.on('data', (request: Buffer) => {
      if (this.remaining > 0 && this.wanted.test(request.toString('latin1'))) {
        this.remaining -= 1;
        doomed = true;
        reply.reset();
      }
      upstream.write(request);
    });
    upstream.on('data', (answer: Buffer) => {
      if (!doomed) {
        client.write(answer);
        return;
      }
      if (!reply.completes(answer)) return;
      this.lost += 1;
      cut();
    });
  }
}

/** Follows message boundaries until the server has finished a statement. */
class ReplyWatch {
  private pending = Buffer.alloc(0);

  reset(): void {
    this.pending = Buffer.alloc(0);
  }

  completes(bytes: Buffer): boolean {
    this.pending = Buffer.concat([this.pending, bytes]);
    while (this.pending.length >= HEADER_BYTES) {
      const length = 1 + this.pending.readUInt32BE(1);
      if (this.pending.length < length) return false;
      if (this.pending[0] === READY_FOR_QUERY) return true;
      this.pending = this.pending.subarray(length);
    }
    return false;
  }
}
