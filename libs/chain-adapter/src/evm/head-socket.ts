import type { Logger } from '@noncekit/nonce-core/ports';
import { WebSocket, type RawData } from 'ws';
import { isRecord } from './json-rpc';
import type { ProviderUrl } from './provider-url';

interface HeadSocketOptions {
  readonly url: ProviderUrl;
  readonly logger: Logger;
  readonly onHead: () => void;
  /** Between two questions whether the other side is still there, milliseconds. */
  readonly pingMs?: number;
  /** Before the first new attempt; it doubles with each in a row, up to half a minute. */
  readonly firstPauseMs?: number;
}

const HANDSHAKE_MS = 5_000;
const PING_MS = 15_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;
/** A header is below 2 kB. */
const MESSAGE_MAX_BYTES = 65_536;
const SUBSCRIPTION = 1;
const SUBSCRIBE = JSON.stringify({
  ...{ jsonrpc: '2.0', id: SUBSCRIPTION },
  ...{ method: 'eth_subscribe', params: ['newHeads'] },
});

/**
 * `eth_subscribe` for `newHeads` at one provider (https://geth.ethereum.org/docs/interacting-with-geth/rpc/pubsub),
 * for as long as it is wanted: a connection that is lost, silent or refused is made anew.
 */
export class HeadSocket {
  private socket: WebSocket | null = null;
  private timer: NodeJS.Timeout | undefined;
  private attempts = 0;
  private ended = false;
  private reported: string | null = null;

  constructor(private readonly options: HeadSocketOptions) {}

  open(): void {
    const { url, pingMs = PING_MS } = this.options;
    const socket = new WebSocket(url.href, {
      handshakeTimeout: HANDSHAKE_MS,
      maxPayload: MESSAGE_MAX_BYTES,
      perMessageDeflate: false,
    });
    this.socket = socket;
    let heard = true;
    const pinging = setInterval(() => {
      if (!heard) socket.terminate();
      heard = false;
      if (socket.readyState === WebSocket.OPEN) socket.ping();
    }, pingMs).unref();
    socket.on('open', () => {
      socket.send(SUBSCRIBE);
    });
    socket.on('pong', () => {
      heard = true;
    });
    socket.on('message', (data) => {
      heard = true;
      this.read(socket, data);
    });
    // A close follows; both are told once per trouble.
    socket.on('error', (error) => {
      this.report(error.message);
    });
    socket.on('close', () => {
      clearInterval(pinging);
      this.openAgain();
    });
  }

  end(): void {
    this.ended = true;
    clearTimeout(this.timer);
    this.socket?.terminate();
  }

  private read(socket: WebSocket, data: RawData): void {
    const text = textOf(data);
    const message = parsed(text);
    if (message['method'] === 'eth_subscription') {
      this.options.onHead();
    } else if (message['id'] === SUBSCRIPTION && typeof message['result'] === 'string') {
      this.begun();
    } else if (message['id'] === SUBSCRIPTION) {
      this.report(`no subscription to new heads: ${text.slice(0, 200)}`);
      socket.terminate();
    }
  }

  /** There may have been heads while nobody listened. */
  private begun(): void {
    const { url, logger, onHead } = this.options;
    if (this.reported !== null) logger.info('heads are announced again', { provider: url.label });
    this.reported = null;
    this.attempts = 0;
    onHead();
  }

  private openAgain(): void {
    if (this.ended) return;
    this.report('the connection ended');
    const { firstPauseMs = FIRST_PAUSE_MS } = this.options;
    const pauseMs = Math.min(firstPauseMs * 2 ** this.attempts, LONGEST_PAUSE_MS);
    this.attempts += 1;
    this.timer = setTimeout(() => {
      this.open();
    }, pauseMs).unref();
  }

  private report(reason: string): void {
    if (this.ended || this.reported !== null) return;
    const { url, logger } = this.options;
    this.reported = url.redact(reason);
    const fix = 'heads are polled meanwhile; check the WebSocket address of this provider';
    logger.warn('heads are not announced', { provider: url.label, reason: this.reported, fix });
  }
}

/** Whole messages come as one buffer, unless another type is asked for. */
function textOf(data: RawData): string {
  return Buffer.isBuffer(data) ? data.toString() : '';
}

function parsed(text: string): Record<string, unknown> {
  try {
    const message: unknown = JSON.parse(text);
    return isRecord(message) ? message : {};
  } catch {
    return {};
  }
}
