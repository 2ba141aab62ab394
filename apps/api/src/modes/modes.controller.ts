import {
  Body,
  Controller,
  Get,
  HttpCode,
  HttpStatus,
  Param,
  Post,
  Put,
  Query,
  Res,
} from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ApiProblems } from '../documents/api-documentation';
import { entityTag } from '../http/if-match';
import { countedId } from '../http/path-parameters';
import { Actor } from '../http/principal';
import { RequireScope } from '../http/scopes';
import { OperatorActionDto } from '../submitters/submitter-commands.dto';
import { ModeActions } from './mode-actions';
import { ListSwitchesQuery, ModeDto, SwitchOrderDto, toModeDto } from './mode.dto';
import { ModeSwitchDto, ModeSwitchesDto, PreflightDto, toModeSwitchDto } from './mode-switch.dto';

/** How nonces are issued by the whole installation, and how that is changed. */
@ApiTags('operations')
@Controller('v1/ops/mode')
export class ModesController {
  constructor(private readonly modes: ModeActions) {}

  @Get()
  @RequireScope('ops:read')
  @ApiOperation({ operationId: 'getMode', summary: 'The mode in force; its epoch is the ETag' })
  @ApiOkResponse({ type: ModeDto })
  @ApiProblems()
  async read(@Res({ passthrough: true }) reply: FastifyReply): Promise<ModeDto> {
    const now = await this.modes.current();
    void reply.header('etag', entityTag(now.epoch));
    return toModeDto(now);
  }

  @Put()
  @RequireScope('ops:write')
  @ApiOperation({
    operationId: 'switchMode',
    summary: 'Switch all nodes to another mode',
    description: 'The new mode counts when this answers; what is left to do is told by `Location`.',
  })
  @ApiHeader({ name: 'If-Match', required: true, description: 'ETag of `GET /v1/ops/mode`' })
  @ApiAcceptedResponse({ type: ModeSwitchDto })
  @ApiOkResponse({ type: PreflightDto, description: 'What a dry run found' })
  @ApiProblems()
  async order(
    @Actor() actor: string,
    @Body() body: SwitchOrderDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ModeSwitchDto | PreflightDto> {
    const { mode, reason, dryRun } = body;
    const order = { mode, reason, actor, ifMatch: reply.request.headers['if-match'] };
    if (dryRun === true) return this.modes.check(order);
    const begun = await this.modes.order(order);
    void reply.status(HttpStatus.ACCEPTED);
    void reply.header('etag', entityTag(begun.epoch));
    void reply.header('location', `/v1/ops/mode/switches/${begun.id}`);
    return toModeSwitchDto(begun);
  }

  @Get('switches')
  @RequireScope('ops:read')
  @ApiOperation({ operationId: 'listModeSwitches', summary: 'Switches of the mode' })
  @ApiOkResponse({ type: ModeSwitchesDto })
  @ApiProblems()
  async switches(@Query() { limit, before }: ListSwitchesQuery): Promise<ModeSwitchesDto> {
    const { items, nextBefore } = await this.modes.switches(limit, before);
    return { items: items.map(toModeSwitchDto), nextBefore };
  }

  @Get('switches/:switchId')
  @RequireScope('ops:read')
  @ApiOperation({ operationId: 'getModeSwitch', summary: 'One switch, its phases and timings' })
  @ApiParam({ name: 'switchId', type: 'integer', schema: { type: 'integer' } })
  @ApiOkResponse({ type: ModeSwitchDto })
  @ApiProblems()
  async find(@Param('switchId') id: string): Promise<ModeSwitchDto> {
    return toModeSwitchDto(await this.modes.find(countedId(id)));
  }

  @Post('abort')
  @HttpCode(HttpStatus.OK)
  @RequireScope('ops:write')
  @ApiOperation({
    operationId: 'abortModeSwitch',
    summary: 'End what the running switch still does; the mode stays',
  })
  @ApiOkResponse({ type: ModeSwitchDto })
  @ApiProblems()
  async abort(@Actor() actor: string, @Body() body: OperatorActionDto): Promise<ModeSwitchDto> {
    return toModeSwitchDto(await this.modes.abort(actor, body.reason));
  }
}
