import type { Metrics } from '@noncekit/nonce-core/ports';
import { getHttpRpcClient, type HttpRpcClient } from 'viem/utils';
import { failed, readBatch, readReply, type RpcReply, type RpcRequest } from './json-rpc';
import type { ProviderUrl } from './provider-url';
import { transportFailure } from './transport-failure';

/** Public nodes refuse larger batches; 50 receipts still fit well into one answer. */
const BATCH_MAX = 50;
/** Requests at once to a node that takes no batches. */
const LANES = 8;
const NO_BATCHES = /batch/i;
/** Invalid request, method not found, parse error: what nodes without batches say to an array. */
const NO_BATCH_CODES: readonly (number | null)[] = [-32_600, -32_601, -32_700];
const TOO_MANY_REQUESTS = 429;
const SERVER_ERRORS = 500;

interface RpcEndpointOptions {
  readonly url: ProviderUrl;
  readonly timeoutMs: number;
  readonly metrics: Metrics;
}

/**
 * JSON-RPC over HTTP with one provider.
 * Guarantees: never rejects; every request gets exactly one reply; an answer is matched by its id;
 * the whole exchange, headers and body, ends within the timeout.
 * Not here: retries, health, and whether the provider may be believed.
 */
export class RpcEndpoint {
  private readonly client: HttpRpcClient;
  private takesBatches = true;
  private lastId = 0;

  constructor(private readonly options: RpcEndpointOptions) {
    this.client = getHttpRpcClient(options.url.href);
  }

  get label(): string {
    return this.options.url.label;
  }

  /** One reply per request, in the order of the requests. */
  async call(requests: readonly RpcRequest[]): Promise<readonly RpcReply[]> {
    const chunks: (readonly RpcRequest[])[] = [];
    for (let i = 0; i < requests.length; i += BATCH_MAX) {
      chunks.push(requests.slice(i, i + BATCH_MAX));
    }
    const replies = await Promise.all(chunks.map((chunk) => this.callChunk(chunk)));
    return replies.flat();
  }

  private async callChunk(requests: readonly RpcRequest[]): Promise<readonly RpcReply[]> {
    if (requests.length === 1 || !this.takesBatches) return this.callInLanes(requests);
    const ids = requests.map(() => this.nextId());
    const bodies = requests.map(({ method, params }, i) => ({ method, params, id: ids[i] ?? 0 }));
    const startMs = performance.now();
    const answer = await this.exchange(bodies);
    if (!Array.isArray(answer.body) && answer.failure === undefined) {
      const refusal = readReply(answer.body, 0);
      if (refusesBatches(refusal)) {
        this.takesBatches = false;
        return this.callInLanes(requests);
      }
    }
    const replies = this.repliesOf(answer, ids);
    this.measure(requests, replies, startMs);
    return replies;
  }

  private repliesOf(answer: Exchange, ids: readonly number[]): readonly RpcReply[] {
    const { failure, body } = answer;
    if (failure !== undefined) return ids.map(() => failure);
    if (Array.isArray(body)) return readBatch(body, ids).map((reply) => this.clean(reply));
    const reply = this.clean(readReply(body, 0));
    const forAll = reply.kind === 'result' ? failed('malformed', 'no batch came back') : reply;
    return ids.map(() => forAll);
  }

  /** Stops asking after the first failure, so that a dead node costs one timeout, not many. */
  private async callInLanes(requests: readonly RpcRequest[]): Promise<readonly RpcReply[]> {
    const replies: RpcReply[] = [];
    let next = 0;
    let broken: RpcReply | undefined;
    const lane = async (): Promise<void> => {
      for (let i = next++; i < requests.length; i = next++) {
        const reply = broken ?? (await this.callOne(requests[i] as RpcRequest));
        if (reply.kind === 'failed') broken = reply;
        replies[i] = reply;
      }
    };
    await Promise.all(Array.from({ length: Math.min(LANES, requests.length) }, lane));
    return replies;
  }

  private async callOne(request: RpcRequest): Promise<RpcReply> {
    const id = this.nextId();
    const startMs = performance.now();
    const { failure, body } = await this.exchange({ ...request, id });
    const reply = failure ?? this.clean(readReply(body, id));
    this.measure([request], [reply], startMs);
    return reply;
  }

  /**
   * The abort signal is our own because viem's timeout ends with the headers: a node that stalls in
   * the middle of a body would be waited for without end.
   */
  private async exchange(body: RequestBody | RequestBody[]): Promise<Exchange> {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), this.options.timeoutMs);
    let status = 0;
    try {
      const answer: unknown = await this.client.request({
        body,
        timeout: 0,
        fetchOptions: { signal: controller.signal },
        onResponse: (response) => {
          status = response.status;
        },
      });
      if (status === TOO_MANY_REQUESTS) return { failure: failed('rate-limited', 'HTTP 429') };
      if (status >= SERVER_ERRORS) return { failure: failed('http', `HTTP ${status}`) };
      return { body: answer };
    } catch (error) {
      if (controller.signal.aborted) {
        return { failure: failed('timeout', `no answer within ${this.options.timeoutMs} ms`) };
      }
      return { failure: transportFailure(error, status) };
    } finally {
      clearTimeout(timer);
    }
  }

  private clean(reply: RpcReply): RpcReply {
    if (reply.kind !== 'error') return reply;
    return { ...reply, message: this.options.url.redact(reply.message) };
  }

  private measure(
    requests: readonly RpcRequest[],
    replies: readonly RpcReply[],
    startMs: number,
  ): void {
    const { metrics } = this.options;
    requests.forEach(({ method }, i) => {
      metrics.count('nonce_rpc_requests_total', { method, result: resultLabel(replies[i]) });
    });
    const method = requests[0]?.method ?? 'none';
    const seconds = (performance.now() - startMs) / 1_000;
    metrics.observe('nonce_rpc_request_duration_seconds', { method }, seconds);
  }

  private nextId(): number {
    this.lastId += 1;
    return this.lastId;
  }
}

interface RequestBody extends RpcRequest {
  readonly id: number;
}

interface Exchange {
  readonly body?: unknown;
  readonly failure?: ReturnType<typeof failed>;
}

function refusesBatches(reply: RpcReply): boolean {
  if (reply.kind !== 'error') return false;
  return NO_BATCHES.test(reply.message) || NO_BATCH_CODES.includes(reply.code);
}

function resultLabel(reply: RpcReply | undefined): string {
  if (reply === undefined) return 'malformed';
  if (reply.kind === 'failed') return reply.failure;
  return reply.kind === 'result' ? 'ok' : 'error';
}
