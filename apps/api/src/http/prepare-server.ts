import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { InFlightRequests } from './in-flight-requests';
import { parseJsonBody } from './json-body';
import { sendProblem } from './problem-reply';
import { REQUEST_ID_HEADER } from './request-id';
import type { RouteTable } from './route-table';

type Server = ReturnType<ReturnType<NestFastifyApplication['getHttpAdapter']>['getInstance']>;

/** Everything the public port does before Nest sees a request. */
export function prepareServer(
  server: Server,
  parts: { readonly routes: RouteTable; readonly inFlight: InFlightRequests },
): void {
  server.addHook('onRoute', (route) => {
    parts.routes.add(route.method, route.url);
  });
  acceptJsonOnly(server);
  trackRequests(server, parts.inFlight);
}

/** One body format; forms and plain text are answered 415 instead of being guessed at. */
function acceptJsonOnly(server: Server): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (_, body, done) => {
    try {
      done(null, parseJsonBody(String(body)));
    } catch (error) {
      done(error as Error);
    }
  });
}

function trackRequests(server: Server, inFlight: InFlightRequests): void {
  server.addHook('onRequest', (request, reply, done) => {
    void reply.header(REQUEST_ID_HEADER, request.id);
    if (inFlight.draining) {
      void reply.header('connection', 'close');
      sendProblem(request, reply, {
        code: 'NONCE_BACKPRESSURE',
        detail: 'This server is shutting down and takes no new work.',
      });
      return;
    }
    inFlight.started();
    // `close` comes exactly once, after the answer or when the caller went away.
    reply.raw.once('close', () => {
      inFlight.ended();
    });
    done();
  });
}
