import type { IncomingMessage } from 'node:http';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Logger } from 'nestjs-pino';
import { AppModule } from './app.module';
import type { ApiEnvironment } from './config/env.schema';
import { serveOpenApi } from './documents/open-api';
import { InFlightRequests } from './http/in-flight-requests';
import { prepareServer } from './http/prepare-server';
import { sendProblem } from './http/problem-reply';
import { requestIdOf } from './http/request-id';
import { RouteTable } from './http/route-table';
import type { ServerParts } from './http/server-parts';
import { validationPipe } from './http/validation';

/** No documented request comes near it; a signed transaction without blobs stays below as well. */
const MAX_BODY_BYTES = 64 * 1024;
/** Longer path segments are unknown addresses instead of invalid parameters. */
const MAX_PARAMETER_LENGTH = 1_000;

/** The complete public application, initialised and not yet listening. */
export async function createApp(environment: ApiEnvironment): Promise<NestFastifyApplication> {
  const parts: ServerParts = { routes: new RouteTable(), inFlight: new InFlightRequests() };
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.forEnvironment(environment, parts),
    fastifyAdapter(),
    // A start that fails is reported once and readably by main, not line by line by Nest.
    { bufferLogs: true, autoFlushLogs: false, bodyParser: false, abortOnError: false },
  );
  app.useLogger(app.get(Logger));
  app.flushLogs();
  prepareServer(app.getHttpAdapter().getInstance(), parts);
  app.useGlobalPipes(validationPipe());
  serveOpenApi(app);
  await app.init();
  return app;
}

function fastifyAdapter(): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: MAX_BODY_BYTES,
    // Idle keep-alive connections would otherwise hold the process until they time out.
    forceCloseConnections: true,
    genReqId: (request: IncomingMessage) => requestIdOf(request),
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    frameworkErrors: (_: Error, request: FastifyRequest, reply: FastifyReply) => {
      const detail = 'is not a valid address';
      sendProblem(request, reply, { code: 'NONCE_VALIDATION', errors: [{ pointer: '', detail }] });
    },
  });
}
