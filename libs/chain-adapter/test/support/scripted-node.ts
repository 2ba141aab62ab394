import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface NodeRequest {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

export type NodeAnswer =
  | { readonly result: unknown }
  | {
      readonly error: { readonly code: number; readonly message: string; readonly data?: unknown };
    };

/** What the node says to one method; undefined leaves it to the upstream or the defaults. */
export type Script = (
  request: NodeRequest,
) => NodeAnswer | undefined | Promise<NodeAnswer | undefined>;

/** Thrown by a script: the request was carried out, and its caller hears this instead. */
export class BreakOff extends Error {
  constructor(readonly how: 'reset' | { readonly httpStatus: number }) {
    super('the node breaks off');
  }
}

/** How the node misbehaves below JSON-RPC. */
export type Misbehaviour =
  | 'none'
  | 'silent' // takes the request and never answers
  | 'stalled-body' // sends the headers and half of a body, then nothing
  | 'reset' // closes the connection instead of answering
  | 'garbage' // 200 with something that is not JSON
  | 'no-batches' // an error object for every array
  | 'partial-batch' // leaves the first member of every array out
  | 'reversed-batch' // answers arrays backwards, as the standard allows
  | { readonly httpStatus: number; readonly body?: string };

export const CHAIN_ID = 4_242;
const GENESIS = hashText('genesis');

/** 32 bytes that say what they are. */
export function hashText(words: string): `0x${string}` {
  return `0x${Buffer.from(words).toString('hex').padEnd(64, '0').slice(0, 64)}`;
}

export function blockText(number: number, fork = 'main') {
  return {
    number: `0x${number.toString(16)}`,
    hash: number === 0 ? GENESIS : hashText(`${fork} ${number}`),
    parentHash: number === 1 ? GENESIS : hashText(`${fork} ${number - 1}`),
  };
}

/**
 * A JSON-RPC node that misbehaves on purpose. Without a script a method goes to the upstream node,
 * which makes the fixture provable: in that mode it must answer exactly as the node behind it.
 */
export class ScriptedNode {
  readonly requests: NodeRequest[] = [];
  misbehaviour: Misbehaviour = 'none';
  private readonly scripts = new Map<string, Script>();
  private server: Server | undefined;
  private port = 0;

  private constructor(private readonly upstream: string | undefined) {
    this.on('eth_chainId', () => ({ result: `0x${CHAIN_ID.toString(16)}` }));
    this.on('eth_getBlockByNumber', ({ params }) =>
      params[0] === '0x0' ? { result: blockText(0) } : undefined,
    );
  }

  static async start(options: { readonly upstream?: string } = {}): Promise<ScriptedNode> {
    const node = new ScriptedNode(options.upstream);
    if (options.upstream !== undefined) node.scripts.clear();
    await node.up();
    return node;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  on(method: string, script: Script): this {
    const before = this.scripts.get(method);
    this.scripts.set(method, async (request) => (await script(request)) ?? before?.(request));
    return this;
  }

  /** Answers every call of the method alike. */
  says(method: string, answer: NodeAnswer): this {
    return this.on(method, () => answer);
  }

  count(method: string): number {
    return this.requests.filter((request) => request.method === method).length;
  }

  async up(): Promise<void> {
    const server = createServer((request, response) => void this.serve(request, response));
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
  }

  /** Refuses connections until `up`, which listens on the same port. */
  async down(): Promise<void> {
    const { server } = this;
    if (server === undefined) return;
    this.server = undefined;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as NodeRequest | NodeRequest[];
    this.requests.push(...[body].flat());
    if (this.breaksOff(request, response)) return;
    const text = await this.answer(body).then(JSON.stringify, (error: unknown) => {
      if (!(error instanceof BreakOff)) throw error;
      if (error.how === 'reset') request.socket.destroy();
      else reply(response, error.how.httpStatus, 'no');
      return null;
    });
    if (text === null) return;
    if (this.misbehaviour !== 'stalled-body') {
      reply(response, 200, text);
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write(text.slice(0, text.length / 2));
  }

  private breaksOff(request: IncomingMessage, response: ServerResponse): boolean {
    const bad = this.misbehaviour;
    if (bad === 'reset') request.socket.destroy();
    if (bad === 'garbage') reply(response, 200, '<html>welcome</html>');
    if (typeof bad === 'object') reply(response, bad.httpStatus, bad.body ?? 'no');
    return bad === 'silent' || bad === 'reset' || bad === 'garbage' || typeof bad === 'object';
  }

  private async answer(body: NodeRequest | NodeRequest[]): Promise<unknown> {
    if (!Array.isArray(body)) return this.answerOne(body);
    if (this.misbehaviour === 'no-batches') {
      const error = { code: -32_600, message: 'batch requests are not supported' };
      return { jsonrpc: '2.0', id: null, error };
    }
    const answers = await Promise.all(body.map((request) => this.answerOne(request)));
    if (this.misbehaviour === 'partial-batch') return answers.slice(1);
    return this.misbehaviour === 'reversed-batch' ? answers.reverse() : answers;
  }

  private async answerOne(request: NodeRequest): Promise<unknown> {
    const scripted = await this.scripts.get(request.method)?.(request);
    if (scripted !== undefined) return { jsonrpc: '2.0', id: request.id, ...scripted };
    if (this.upstream !== undefined) return passOn(this.upstream, request);
    const error = { code: -32_601, message: `the method ${request.method} does not exist` };
    return { jsonrpc: '2.0', id: request.id, error };
  }
}

async function passOn(upstream: string, request: NodeRequest): Promise<unknown> {
  const response = await fetch(upstream, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify(request),
  });
  return response.json();
}

function reply(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(text);
}
