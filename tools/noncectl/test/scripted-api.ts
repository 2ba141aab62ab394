import { createServer, type IncomingMessage, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

export interface Answer {
  readonly status: number;
  /** Sent as JSON, or as it is when it is text. */
  readonly body: unknown;
}

/** An API that answers what a test says, so that every answer can be shown; it keeps what it was asked. */
export class ScriptedApi {
  readonly asked: Asked[] = [];
  private answers: Readonly<Record<string, readonly Answer[]>> = {};

  private constructor(private readonly server: Server) {
    server.on('request', (request, response) => {
      void this.read(request).then((asked) => {
        this.asked.push(asked);
        const { status, body } = this.answerTo(asked);
        response.writeHead(status, { connection: 'close' });
        response.end(typeof body === 'string' ? body : JSON.stringify(body));
      });
    });
  }

  static async start(): Promise<ScriptedApi> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ScriptedApi(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** By `METHOD /path`; the last answer of a list stays. */
  script(answers: Readonly<Record<string, readonly Answer[]>>): void {
    this.asked.length = 0;
    this.answers = answers;
  }

  async stop(): Promise<void> {
    this.server.close();
    await once(this.server, 'close');
  }

  private answerTo({ method, path }: Asked): Answer {
    const list = this.answers[`${method} ${path}`] ?? [];
    const seen = this.asked.filter((one) => one.method === method && one.path === path).length;
    return (
      list[Math.min(seen, list.length) - 1] ?? { status: 500, body: `unscripted ${method} ${path}` }
    );
  }

  private async read(request: IncomingMessage): Promise<Asked> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    return {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body: text === '' ? undefined : (JSON.parse(text) as unknown),
    };
  }
}
