import { Body, Controller, Get, HttpCode, HttpStatus, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiProblems } from '../documents/api-documentation';
import { Actor } from '../http/principal';
import { RequireScope } from '../http/scopes';
import { RecoveryActions } from './recovery-actions';
import { RecoveryConfirmationDto, RecoveryDto, toRecoveryDto } from './recovery.dto';

/** A database that may have been put back to an older state. */
@ApiTags('operations')
@Controller('v1/ops/recovery')
export class RecoveryController {
  constructor(private readonly actions: RecoveryActions) {}

  @Get()
  @RequireScope('ops:read')
  @ApiOperation({
    operationId: 'getRecovery',
    summary: 'Whether the database is trusted, and which submitters it may have forgotten',
  })
  @ApiOkResponse({ type: RecoveryDto })
  @ApiProblems()
  async state(): Promise<RecoveryDto> {
    return toRecoveryDto(await this.actions.state());
  }

  @Post('confirm')
  @HttpCode(HttpStatus.OK)
  @RequireScope('ops:write')
  @ApiOperation({
    operationId: 'confirmRecovery',
    summary: 'Vouch for the database on hold, or end the recovery of one submitter',
    description: 'Changes nothing when there is no hold, or no such recovery.',
  })
  @ApiOkResponse({ type: RecoveryDto })
  @ApiProblems()
  async confirm(
    @Actor() actor: string,
    @Body() body: RecoveryConfirmationDto,
  ): Promise<RecoveryDto> {
    const word = { actor, reason: body.reason };
    const { intact = false } = body;
    if (body.submitter === undefined) await this.actions.confirm({ ...word, intact });
    else await this.actions.leave(body.submitter, word);
    return toRecoveryDto(await this.actions.state());
  }
}
