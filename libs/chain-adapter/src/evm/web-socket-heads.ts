import type { HeadNotices, Logger } from '@noncekit/nonce-core/ports';
import { HeadSocket } from './head-socket';
import { ProviderUrl } from './provider-url';

interface WebSocketHeadsOptions {
  /** Checked by `wsUrlProblems`. */
  readonly wsUrls: readonly string[];
  readonly logger: Logger;
}

/** New heads as providers announce them; none of them is trusted, each is a reason to look. */
export class WebSocketHeads implements HeadNotices {
  constructor(private readonly options: WebSocketHeadsOptions) {}

  listen(onHead: () => void): () => void {
    const { wsUrls, logger } = this.options;
    const hrefs = new Set(wsUrls.map((text) => new URL(text).href));
    const sockets = [...hrefs].map(
      (href) => new HeadSocket({ url: new ProviderUrl(href), logger, onHead }),
    );
    for (const socket of sockets) socket.open();
    return () => {
      for (const socket of sockets) socket.end();
    };
  }
}
