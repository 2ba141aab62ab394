import {
  Catch,
  Injectable,
  HttpException,
  Logger,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import { isNonceError } from '@noncekit/nonce-core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sendProblem } from './problem-reply';
import { sourceOfNonceError, type ProblemSource } from './problem';
import { RouteTable } from './route-table';

/**
 * The only place where an exception becomes an answer. Whatever is not a NonceError or a refusal
 * of the HTTP layer is NONCE_INTERNAL: its text goes to the log, never to the caller.
 */
@Injectable()
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('ProblemFilter');

  constructor(private readonly routes: RouteTable) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    if (reply.sent) return;
    const source = this.classify(exception, request, reply);
    if (source.code === 'NONCE_INTERNAL') {
      this.logger.error({ err: exception, requestId: request.id }, 'request failed unexpectedly');
    }
    sendProblem(request, reply, source);
  }

  private classify(
    exception: unknown,
    request: FastifyRequest,
    reply: FastifyReply,
  ): ProblemSource {
    if (isNonceError(exception)) return sourceOfNonceError(exception);
    const status = statusOf(exception);
    if (status === 404) return this.unknownAddress(request, reply);
    if (status === undefined || status >= 500) return { code: 'NONCE_INTERNAL' };
    return transportProblem(status);
  }

  private unknownAddress(request: FastifyRequest, reply: FastifyReply): ProblemSource {
    const allowed = this.routes.methodsOf(request.url);
    if (allowed.length === 0) return { code: 'NONCE_NOT_FOUND' };
    void reply.header('allow', allowed.join(', '));
    const detail = `${request.method} is not offered at this address.`;
    return { code: 'NONCE_NOT_FOUND', detail, status: 405, context: { allow: allowed } };
  }
}

/** HTTP status carried by Nest's and fastify's own errors. */
function statusOf(exception: unknown): number | undefined {
  if (exception instanceof HttpException) return exception.getStatus();
  if (typeof exception !== 'object' || exception === null) return undefined;
  const { statusCode, code } = exception as { statusCode?: unknown; code?: unknown };
  const isOfFastify = typeof code === 'string' && code.startsWith('FST_');
  return isOfFastify && typeof statusCode === 'number' ? statusCode : undefined;
}

function transportProblem(status: number): ProblemSource {
  const body = (detail: string): ProblemSource => ({
    code: 'NONCE_VALIDATION',
    status,
    detail,
    errors: [{ pointer: '', detail }],
  });
  switch (status) {
    case 413:
      return body('The body is larger than 64 KB.');
    case 415:
      return body('The body must be sent as application/json.');
    case 401:
      return { code: 'NONCE_UNAUTHENTICATED' };
    case 403:
      return { code: 'NONCE_FORBIDDEN' };
    default:
      return { ...body('The request could not be read.'), status: 400 };
  }
}
