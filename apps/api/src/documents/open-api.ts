import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { readVersion } from '@noncekit/nonce-core';
import { ProblemDto } from '../http/problem.dto';

const MANIFEST = join(__dirname, '..', '..', 'package.json');

/** Serves `/openapi.json` and `/docs`. The document is made on first request, not at start. */
export function serveOpenApi(app: NestFastifyApplication): void {
  let document: OpenAPIObject | undefined;
  const documentOnce = (): OpenAPIObject => (document ??= createDocument(app));
  SwaggerModule.setup('docs', app, documentOnce, {
    jsonDocumentUrl: 'openapi.json',
    yamlDocumentUrl: 'openapi.yaml',
    customSiteTitle: 'Noncekit API',
  });
}

function createDocument(app: NestFastifyApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Noncekit')
    .setDescription('Nonces for hot wallets: contiguous, never twice, reused when unspent.')
    .setVersion(readVersion(MANIFEST).version)
    .addBearerAuth({ type: 'http', scheme: 'bearer' })
    .addSecurityRequirements('bearer')
    .build();
  return SwaggerModule.createDocument(app, config, { extraModels: [ProblemDto] });
}
