import { Body, Controller, HttpCode, HttpStatus, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Submitter } from '@noncekit/nonce-core';
import { ApiProblems, ApiSubmitterParam } from '../documents/api-documentation';
import { SubmitterPipe } from '../http/path-parameters';
import { Actor } from '../http/principal';
import { RequireScope } from '../http/scopes';
import {
  AlignmentDto,
  SubmitterReconciliationDto,
  toAlignmentDto,
  toSubmitterReconciliationDto,
} from './alignment.dto';
import { OperatorActions } from './operator-actions';
import { RebaselineDto, toRebaselineDto } from './rebaseline.dto';
import {
  OperatorActionDto,
  ReconcileSubmitterDto,
  ResetSubmitterDto,
} from './submitter-commands.dto';
import { SubmitterReader } from './submitter-reader';
import { SubmitterDto, toSubmitterDto } from './submitter.dto';

/** Operator actions; each names its reason and is kept in the audit. */
@ApiTags('operations')
@Controller('v1/submitters/:submitter')
@RequireScope('ops:write')
export class SubmitterOperationsController {
  constructor(
    private readonly actions: OperatorActions,
    private readonly submitters: SubmitterReader,
  ) {}

  @Post('pause')
  @HttpCode(HttpStatus.OK)
  @ApiOperation({ operationId: 'pauseSubmitter', summary: 'Stop issuing nonces' })
  @ApiSubmitterParam()
  @ApiOkResponse({ type: SubmitterDto })
  @ApiProblems()
  async pause(
    @Param('submitter', SubmitterPipe) submitter: Submitter,
    @Actor() actor: string,
    @Body() body: OperatorActionDto,
  ): Promise<SubmitterDto> {
    await this.actions.setPaused({ submitter, actor, reason: body.reason }, true);
    return toSubmitterDto(await this.submitters.view(submitter));
  }

  @Post('resume')
  @HttpCode(HttpStatus.OK)
  @ApiOperation({ operationId: 'resumeSubmitter', summary: 'Issue nonces again' })
  @ApiSubmitterParam()
  @ApiOkResponse({ type: SubmitterDto })
  @ApiProblems()
  async resume(
    @Param('submitter', SubmitterPipe) submitter: Submitter,
    @Actor() actor: string,
    @Body() body: OperatorActionDto,
  ): Promise<SubmitterDto> {
    await this.actions.setPaused({ submitter, actor, reason: body.reason }, false);
    return toSubmitterDto(await this.submitters.view(submitter));
  }

  @Post('align')
  @HttpCode(HttpStatus.OK)
  @ApiOperation({ operationId: 'alignSubmitter', summary: 'Compare with the chain now' })
  @ApiSubmitterParam()
  @ApiOkResponse({ type: AlignmentDto })
  @ApiProblems()
  async align(
    @Param('submitter', SubmitterPipe) submitter: Submitter,
    @Actor() actor: string,
    @Body() body: OperatorActionDto,
  ): Promise<AlignmentDto> {
    return toAlignmentDto(await this.actions.align({ submitter, actor, reason: body.reason }));
  }

  @Post('reconcile')
  @HttpCode(HttpStatus.OK)
  @ApiOperation({
    operationId: 'reconcileSubmitter',
    summary: 'Compare with witnesses and chain now, and mend what differs',
  })
  @ApiSubmitterParam()
  @ApiOkResponse({ type: SubmitterReconciliationDto })
  @ApiProblems()
  async reconcile(
    @Param('submitter', SubmitterPipe) submitter: Submitter,
    @Actor() actor: string,
    @Body() body: ReconcileSubmitterDto,
  ): Promise<SubmitterReconciliationDto> {
    const { reason, dryRun = false } = body;
    return toSubmitterReconciliationDto(
      await this.actions.reconcile({ submitter, actor, reason, dryRun }),
    );
  }

  @Post('reset')
  @HttpCode(HttpStatus.OK)
  @ApiOperation({
    operationId: 'resetSubmitter',
    summary: 'Start anew on a chain that was reset; refused while its genesis is the known one',
  })
  @ApiSubmitterParam()
  @ApiOkResponse({ type: RebaselineDto })
  @ApiProblems()
  async reset(
    @Param('submitter', SubmitterPipe) submitter: Submitter,
    @Actor() actor: string,
    @Body() body: ResetSubmitterDto,
  ): Promise<RebaselineDto> {
    const { reason, dryRun = false, confirm } = body;
    return toRebaselineDto(await this.actions.reset({ submitter, actor, reason, dryRun, confirm }));
  }
}
