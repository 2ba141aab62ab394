import { Body, Controller, Get, HttpCode, HttpStatus, Param, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { NonceError, NonceRecoveryService } from '@noncekit/nonce-core';
import { ApiProblems } from '../documents/api-documentation';
import { IdPipe } from '../http/path-parameters';
import { Actor } from '../http/principal';
import { RequireScope } from '../http/scopes';
import { ReconcileOrderDto, ReconciliationDto, toReconciliationDto } from './reconcile.dto';

/** Records compared with witnesses and chains, all of them. */
@ApiTags('operations')
@Controller('v1/ops/reconcile')
export class ReconcileController {
  constructor(private readonly recovery: NonceRecoveryService) {}

  @Post()
  @HttpCode(HttpStatus.ACCEPTED)
  @RequireScope('ops:write')
  @ApiOperation({
    operationId: 'reconcile',
    summary: 'Compare all submitters, or the hot ones, with witnesses and chains, and mend them',
    description:
      'A worker carries it out: follow it by its id. Refused while another one of its kind runs.',
  })
  @ApiAcceptedResponse({ type: ReconciliationDto })
  @ApiProblems()
  async begin(@Actor() actor: string, @Body() body: ReconcileOrderDto): Promise<ReconciliationDto> {
    const { scope, reason, dryRun = false } = body;
    return toReconciliationDto(
      await this.recovery.beginReconcile({ scope, dryRun, actor, reason }),
    );
  }

  @Get(':id')
  @RequireScope('ops:read')
  @ApiOperation({ operationId: 'getReconciliation', summary: 'Progress and report of one' })
  @ApiOkResponse({ type: ReconciliationDto })
  @ApiProblems()
  async find(@Param('id', IdPipe) id: string): Promise<ReconciliationDto> {
    const found = await this.recovery.findReconcile(id);
    if (found === null) throw new NonceError('NONCE_NOT_FOUND', { context: { id } });
    return toReconciliationDto(found);
  }
}
