import type { EventSourceMessage } from 'eventsource-parser';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { EXIT } from '../exit-codes';
import { Failure } from '../failure';
import { failureOf } from './problem';

/** The slowest answers are preflights, which ask every shard of Redis. */
const ANSWER_TIMEOUT_MS = 30_000;

export interface Connection {
  /** Public port of an API, without a path. */
  readonly url: string;
  /** null = none is sent. */
  readonly key: string | null;
}

export interface Call {
  readonly method?: 'GET' | 'PUT' | 'POST';
  readonly body?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One API. Every failure is a `Failure`: nothing else leaves a call. */
export class ApiClient {
  constructor(private readonly connection: Connection) {}

  /** @throws Failure exit code 6 when nothing answered; else by the problem that it answered */
  async call<Answer>(path: string, call: Call = {}): Promise<Answer> {
    const url = new URL(path, this.connection.url).href;
    const { status, text } = await this.send(url, call);
    const body = parsed(text);
    if (status >= 200 && status < 300 && body !== undefined) return body as Answer;
    throw failureOf(status, body, url);
  }

  /**
   * Server-sent events as they come, until the server ends the stream.
   * @throws Failure as `call`, also when the connection is lost
   */
  async *events(path: string, lastId: string | null): AsyncGenerator<EventSourceMessage> {
    const url = new URL(path, this.connection.url).href;
    const headers = {
      accept: 'text/event-stream',
      ...(lastId === null ? {} : { 'last-event-id': lastId }),
    };
    const response = await this.fetch(url, { headers }, null);
    if (!response.ok || response.body === null) {
      throw failureOf(response.status, parsed(await response.text()), url);
    }
    const messages = response.body
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new EventSourceParserStream());
    try {
      for await (const message of messages) yield message;
    } catch (error) {
      throw unreachable(url, error);
    }
  }

  private async send(url: string, call: Call): Promise<{ status: number; text: string }> {
    const response = await this.fetch(url, call, AbortSignal.timeout(ANSWER_TIMEOUT_MS));
    try {
      return { status: response.status, text: await response.text() };
    } catch (error) {
      throw unreachable(url, error);
    }
  }

  private async fetch(
    url: string,
    { method = 'GET', body, headers }: Call,
    signal: AbortSignal | null,
  ): Promise<Response> {
    try {
      return await fetch(url, {
        method,
        signal,
        headers: {
          accept: 'application/json',
          ...(this.connection.key === null
            ? {}
            : { authorization: `Bearer ${this.connection.key}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (error) {
      throw unreachable(url, error);
    }
  }
}

function unreachable(url: string, error: unknown): Failure {
  return new Failure({
    code: 'NONCECTL_UNREACHABLE',
    detail: `${url}: ${reasonOf(error)}`,
    fix: 'Start the API, or correct --url or NONCE_API_URL.',
    exitCode: EXIT.unreachable,
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** `fetch failed` says nothing; its cause does, and behind several addresses stand several causes. */
function reasonOf(error: unknown): string {
  const { cause, errors, message } = Object(error) as Partial<AggregateError>;
  if (cause !== undefined) return reasonOf(cause);
  if (Array.isArray(errors)) return errors.map(reasonOf).join(', ');
  return message ?? String(error);
}
