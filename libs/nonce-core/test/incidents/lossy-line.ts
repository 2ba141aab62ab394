import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * The network between one node and its Postgres. It can lose answers: the server has done what it
 * was asked, and instead of the reply the node sees its connection break (I-34).
 */
export class LossyLine {
  private lossesLeft = 0;
  private lost = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly target: URL,
  ) {}

  static async open(databaseUrl: string): Promise<LossyLine> {
    const server = createServer();
    const line = new LossyLine(server, new URL(databaseUrl));
    server.on('connection', (socket) => {
      line.join(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return line;
  }

  /** The database as seen through this line. */
  get url(): string {
    const url = new URL(this.target);
    url.hostname = '127.0.0.1';
    url.port = String((this.server.address() as AddressInfo).port);
    return url.href;
  }

  /** The next answers, whatever they answer, get lost. */
  loseAnswers(count: number): void {
    this.lossesLeft = count;
    this.lost = 0;
  }

  get lostAnswers(): number {
    return this.lost;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private join(client: Socket): void {
    const database = connect(Number(this.target.port), this.target.hostname);
    const cut = () => {
      client.destroy();
      database.destroy();
    };
    for (const socket of [client, database]) {
      this.sockets.add(socket);
      socket.on('error', cut);
      socket.on('close', () => {
        this.sockets.delete(socket);
        cut();
      });
    }
    client.pipe(database);
    database.on('data', (answer) => {
      if (this.lossesLeft === 0) {
        client.write(answer);
        return;
      }
      this.lossesLeft -= 1;
      this.lost += 1;
      cut();
    });
  }
}
