import { Controller, Get, Headers, Param, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { ERROR_CATALOGUE, NonceError, type ErrorCode } from '@noncekit/nonce-core';
import type { FastifyReply } from 'fastify';
import { PublicRoute } from '../http/scopes';
import { ApiProblems } from './api-documentation';
import { ErrorPageDto } from './error-page.dto';
import { renderErrorPage } from './render-error-page';

/** Where `type` of every problem leads: what the code means and how it is mended. */
@ApiTags('documentation')
@Controller('errors')
@PublicRoute()
export class ErrorPagesController {
  @Get(':code')
  @ApiOperation({ operationId: 'explainError', summary: 'What an error code means' })
  @ApiParam({ name: 'code', enum: Object.keys(ERROR_CATALOGUE), enumName: 'ErrorCode' })
  @ApiOkResponse({ type: ErrorPageDto, description: 'HTML when the client asks for it' })
  @ApiProblems()
  explain(
    @Param('code') code: string,
    @Headers('accept') accept: string | undefined,
    @Res() reply: FastifyReply,
  ): void {
    if (!isErrorCode(code)) throw new NonceError('NONCE_NOT_FOUND');
    const page: ErrorPageDto = { code, ...ERROR_CATALOGUE[code] };
    if (accept?.includes('text/html') === true) {
      void reply.type('text/html; charset=utf-8').send(renderErrorPage(page));
    } else {
      void reply.send(page);
    }
  }
}

function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_CATALOGUE, text);
}
