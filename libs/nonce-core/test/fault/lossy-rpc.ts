import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * What becomes of a request to send a transaction; all other requests pass.
 * `hang` delivers it and never answers, `reset` delivers it and cuts the connection, `drop` cuts the
 * connection without delivering it.
 */
export type SendFate = 'pass' | 'hang' | 'reset' | 'drop';

/** A node's address that delivers requests to a real node, and loses what it is told to lose. */
export class LossyRpc {
  fate: SendFate = 'pass';
  /** Called when a send has met its fate, before anybody is answered. */
  onSend: () => void = () => undefined;
  /** Sends that reached the node behind. */
  delivered = 0;

  private constructor(
    private readonly server: Server,
    private readonly target: string,
  ) {}

  static async start(target: string): Promise<LossyRpc> {
    const server = createServer((request, response) => void rpc.handle(request, response));
    const rpc = new LossyRpc(server, target);
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return rpc;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    const isSend = body.includes('eth_sendRawTransaction');
    const fate = isSend ? this.fate : 'pass';
    const reply = fate === 'drop' ? '' : await this.deliver(body);
    if (isSend) {
      if (fate !== 'drop') this.delivered += 1;
      this.onSend();
    }
    if (fate === 'hang') return;
    if (fate !== 'pass') {
      response.destroy();
      return;
    }
    response.setHeader('content-type', 'application/json').end(reply);
  }

  private async deliver(body: string): Promise<string> {
    const headers = { 'content-type': 'application/json', connection: 'close' };
    const reply = await fetch(this.target, { method: 'POST', headers, body });
    return reply.text();
  }
}
