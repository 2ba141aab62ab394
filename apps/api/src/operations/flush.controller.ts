import { Body, Controller, Get, HttpCode, HttpStatus, Param, Post, Query } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import { FlushOverview } from '@noncekit/nonce-core';
import { ApiProblems } from '../documents/api-documentation';
import { IdPipe } from '../http/path-parameters';
import { Actor } from '../http/principal';
import { RequireScope } from '../http/scopes';
import { FlushActions } from './flush-actions';
import {
  DeadLettersDto,
  FlushStatusDto,
  ListDeadLettersQuery,
  toDeadLetterDto,
  toFlushStatusDto,
} from './flush.dto';
import { OperationDto, OperationOrderDto } from './operation.dto';

const NO_REASON = 'none given';

/** The way of what Redis granted and heard to Postgres. */
@ApiTags('operations')
@Controller('v1/ops')
export class FlushController {
  constructor(
    private readonly flush: FlushOverview,
    private readonly actions: FlushActions,
  ) {}

  @Get('flush')
  @RequireScope('ops:read')
  @ApiOperation({ operationId: 'getFlush', summary: 'What waits in Redis, and how flushing goes' })
  @ApiOkResponse({ type: FlushStatusDto })
  @ApiProblems()
  async status(): Promise<FlushStatusDto> {
    return toFlushStatusDto(await this.flush.status(), new Date());
  }

  @Post('flush')
  @HttpCode(HttpStatus.ACCEPTED)
  @RequireScope('ops:write')
  @ApiOperation({ operationId: 'flushNow', summary: 'Flush on this node what waits now' })
  @ApiAcceptedResponse({ type: OperationDto })
  @ApiProblems()
  drain(@Actor() actor: string, @Body() body: OperationOrderDto): Promise<OperationDto> {
    return this.actions.drainNow({ actor, reason: body.reason ?? NO_REASON });
  }

  @Get('dead-letters')
  @RequireScope('ops:read')
  @ApiOperation({ operationId: 'listDeadLetters', summary: 'Events that could not be applied' })
  @ApiOkResponse({ type: DeadLettersDto })
  @ApiProblems()
  async deadLetters(@Query() query: ListDeadLettersQuery): Promise<DeadLettersDto> {
    const { limit, cursor: after = null } = query;
    // One more than asked tells whether there is a next page.
    const letters = await this.flush.deadLetters({ after, limit: limit + 1 });
    const items = letters.slice(0, limit).map(toDeadLetterDto);
    const nextCursor = letters.length > limit ? (items.at(-1)?.id ?? null) : null;
    return { items, nextCursor };
  }

  @Post('dead-letters/:id/retry')
  @HttpCode(HttpStatus.ACCEPTED)
  @RequireScope('ops:write')
  @ApiOperation({ operationId: 'retryDeadLetter', summary: 'Apply the event once more' })
  @ApiParam({ name: 'id', format: 'uuid' })
  @ApiAcceptedResponse({ type: OperationDto })
  @ApiProblems()
  retry(
    @Param('id', IdPipe) id: string,
    @Actor() actor: string,
    @Body() body: OperationOrderDto,
  ): Promise<OperationDto> {
    return this.actions.retryDeadLetter({ actor, reason: body.reason ?? NO_REASON }, id);
  }
}
