import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  PROBLEM_MEDIA_TYPE,
  problemDocument,
  retryAfterSeconds,
  type ProblemSource,
} from './problem';
import { REQUEST_ID_HEADER } from './request-id';

/** A host as browsers write it; anything else in the Host header is not echoed. */
const HOST = /^[A-Za-z0-9._-]+(:\d{1,5})?$|^\[[0-9a-fA-F:]+\](:\d{1,5})?$/;

/** Writes one problem document; every error answer of the public port passes through here. */
export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  source: ProblemSource,
): void {
  const problem = problemDocument(source, { origin: originOf(request), requestId: request.id });
  const retryAfter = retryAfterSeconds(problem);
  if (retryAfter !== undefined) void reply.header('retry-after', String(retryAfter));
  if (problem.status === 401) void reply.header('www-authenticate', 'Bearer');
  void reply
    .code(problem.status)
    .header(REQUEST_ID_HEADER, request.id)
    .header('cache-control', 'no-store')
    .header('content-type', PROBLEM_MEDIA_TYPE)
    .send(JSON.stringify(problem));
}

function originOf(request: FastifyRequest): string {
  const host = request.headers.host ?? '';
  return HOST.test(host) ? `${request.protocol}://${host}` : '';
}
