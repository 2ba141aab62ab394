import { Body, Controller, Get, Param, Put, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Submitter } from '@noncekit/nonce-core';
import { ApiProblems, ApiSubmitterParam } from '../documents/api-documentation';
import { SubmitterPipe } from '../http/path-parameters';
import { Actor } from '../http/principal';
import { RequireScope } from '../http/scopes';
import { SettingsChanges } from './settings-changes';
import { SubmitterReader } from './submitter-reader';
import { SubmitterSettingsDto } from './submitter-commands.dto';
import { ListSubmittersQuery } from './submitter-queries.dto';
import { SubmitterDto, SubmittersDto, toSubmitterDto } from './submitter.dto';

@ApiTags('submitters')
@Controller('v1/submitters')
export class SubmittersController {
  constructor(
    private readonly submitters: SubmitterReader,
    private readonly changes: SettingsChanges,
  ) {}

  @Get()
  @RequireScope('nonce:read')
  @ApiOperation({ operationId: 'listSubmitters', summary: 'Submitters in key order' })
  @ApiOkResponse({ type: SubmittersDto })
  @ApiProblems()
  async list(@Query() query: ListSubmittersQuery): Promise<SubmittersDto> {
    const page = await this.submitters.list(query);
    return { items: page.items.map(toSubmitterDto), nextCursor: page.nextCursor };
  }

  @Get(':submitter')
  @RequireScope('nonce:read')
  @ApiOperation({ operationId: 'getSubmitter', summary: 'State of one submitter' })
  @ApiSubmitterParam()
  @ApiOkResponse({ type: SubmitterDto })
  @ApiProblems()
  async read(@Param('submitter', SubmitterPipe) submitter: Submitter): Promise<SubmitterDto> {
    return toSubmitterDto(await this.submitters.view(submitter));
  }

  @Put(':submitter')
  @RequireScope('ops:write')
  @ApiOperation({ operationId: 'updateSubmitter', summary: 'Change the settings of a submitter' })
  @ApiSubmitterParam()
  @ApiOkResponse({ type: SubmitterDto })
  @ApiProblems()
  async update(
    @Param('submitter', SubmitterPipe) submitter: Submitter,
    @Actor() actor: string,
    @Body() body: SubmitterSettingsDto,
  ): Promise<SubmitterDto> {
    const { reason = 'settings changed', ...settings } = body;
    await this.changes.change({ submitter, actor, reason }, settings);
    return toSubmitterDto(await this.submitters.view(submitter));
  }
}
