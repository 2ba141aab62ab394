import { LOG_REDACTION } from '@noncekit/nonce-core';
import type { Params } from 'nestjs-pino';

export function loggingParams(level: string): Params {
  return {
    pinoHttp: {
      level,
      redact: { ...LOG_REDACTION, paths: [...LOG_REDACTION.paths] },
      // The server has numbered the request already; its log line carries the same id.
      genReqId: (request) => request.id,
    },
    forRoutes: ['{*splat}'],
  };
}
