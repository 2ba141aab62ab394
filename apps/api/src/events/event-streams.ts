import type { ServerResponse } from 'node:http';
import { NonceError } from '@noncekit/nonce-core';
import type { EventLog, LoggedEvent } from './event-log';

/** Each holds a connection; dashboards need one. */
const STREAMS_MAX = 100;
/** Proxies end connections that say nothing for longer. */
const HEARTBEAT_MS = 15_000;
/** A client that reads more slowly than events come is cut off, and goes on by its last id. */
const UNREAD_MAX_BYTES = 1_048_576;

/** Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export class EventStreams {
  private readonly open = new Set<() => void>();

  constructor(private readonly log: EventLog) {}

  /** Begins after `lastId`, or now. @throws NonceError NONCE_BACKPRESSURE when there are too many. */
  stream(response: ServerResponse, lastId: string | null): void {
    const missed = lastId === null ? [] : this.log.after(lastId);
    const write = (text: string) => {
      response.write(text);
      if (response.writableLength > UNREAD_MAX_BYTES) response.destroy();
    };
    const endListening = this.log.listen((event) => {
      write(textOf(event));
    });
    const heartbeat = setInterval(write, HEARTBEAT_MS, ':\n\n');
    const end = () => response.end();
    this.open.add(end);
    response.once('close', () => {
      endListening();
      clearInterval(heartbeat);
      this.open.delete(end);
    });
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    write(':\n\n');
    if (missed === null) write('event: stream.reset\ndata: {"reason":"events were missed"}\n\n');
    else for (const event of missed) write(textOf(event));
  }

  refuseTooMany(): void {
    if (this.open.size < STREAMS_MAX) return;
    throw new NonceError('NONCE_BACKPRESSURE', { context: { streams: this.open.size } });
  }

  /** Ends all, so that a shutdown waits for none of them. */
  end(): void {
    for (const end of this.open) end();
  }
}

function textOf({ id, name, data }: LoggedEvent): string {
  return `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
