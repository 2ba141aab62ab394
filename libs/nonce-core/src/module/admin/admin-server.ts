import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HealthReport } from './health-reports';
import type { Version } from './version';

/** Where Prometheus text comes from; prom-client's Registry fits. */
export interface MetricsSource {
  readonly contentType: string;
  metrics(): Promise<string>;
}

/** What the admin port tells; each report asks the stores anew. */
export interface AdminFacts {
  readonly version: Version;
  readonly metrics: MetricsSource;
  readonly reports: {
    readiness(): Promise<HealthReport>;
    details(): Promise<HealthReport>;
  };
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const JSON_TYPE = 'application/json; charset=utf-8';

/**
 * The admin port of an app: `/livez`, `/readyz`, `/health`, `/metrics` and `/version`, for
 * orchestrators and scrapers inside the network. It has no keys and therefore tells nothing about
 * any submitter beyond the metrics. A plain Node server, so that it needs neither framework nor
 * public port, and answers while the rest of the app is busy or draining.
 */
export class AdminServer {
  private readonly server: Server;

  constructor(private readonly facts: AdminFacts) {
    this.server = createServer((request, response) => {
      // A probe takes no body and no parameters: everything after the path is ignored.
      const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
      const reads = request.method === 'GET' || request.method === 'HEAD';
      void this.respond(reads ? path : null, response);
    });
  }

  /** @returns the address it listens on; with port 0 any free port is taken */
  start(address: { readonly host: string; readonly port: number }): Promise<string> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(address.port, address.host, () => {
        this.server.off('error', reject);
        const { port } = this.server.address() as AddressInfo;
        resolve(`http://${address.host}:${port}`);
      });
    });
  }

  /** Ends open connections too: a scraper that keeps one open must not hold up the exit. */
  stop(): Promise<void> {
    if (!this.server.listening) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.server.close((error) => {
        if (error === undefined) resolve();
        else reject(error);
      });
      this.server.closeAllConnections();
    });
  }

  private async respond(path: string | null, response: ServerResponse): Promise<void> {
    const answer = await this.answer(path).catch((error: unknown): Answer =>
      json(500, { status: 'error', detail: nameOf(error) }),
    );
    response.writeHead(answer.status, {
      'content-type': answer.type,
      'cache-control': 'no-store',
    });
    response.end(answer.body);
  }

  private async answer(path: string | null): Promise<Answer> {
    switch (path) {
      case '/livez':
        return json(200, { status: 'ok' });
      case '/readyz':
        return report(await this.facts.reports.readiness());
      case '/health':
        return report(await this.facts.reports.details());
      case '/version':
        return json(200, this.facts.version);
      case '/metrics': {
        const { metrics } = this.facts;
        return { status: 200, type: metrics.contentType, body: await metrics.metrics() };
      }
      case null:
        return json(405, { status: 'method not allowed' });
      default:
        return json(404, { status: 'not found' });
    }
  }
}

function report({ up, body }: HealthReport): Answer {
  return json(up ? 200 : 503, body);
}

function json(status: number, body: unknown): Answer {
  return { status, type: JSON_TYPE, body: `${JSON.stringify(body)}\n` };
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown';
}
