import { Body, Controller, Get, Put } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiProblems } from '../documents/api-documentation';
import { Actor } from '../http/principal';
import { RequireScope } from '../http/scopes';
import { PrefetchActions } from './prefetch-actions';
import { PrefetchDto, PrefetchOrderDto } from './prefetch.dto';

const NO_REASON = 'none given';

@ApiTags('operations')
@Controller('v1/ops/prefetch')
export class PrefetchController {
  constructor(private readonly actions: PrefetchActions) {}

  @Get()
  @RequireScope('ops:read')
  @ApiOperation({ operationId: 'getPrefetch', summary: 'How many nonces Redis is given at once' })
  @ApiOkResponse({ type: PrefetchDto })
  @ApiProblems()
  sizes(): Promise<PrefetchDto> {
    return this.actions.sizes();
  }

  @Put()
  @RequireScope('ops:write')
  @ApiOperation({
    operationId: 'tunePrefetch',
    summary: 'Change it on all nodes, within a second and without a restart',
  })
  @ApiOkResponse({ type: PrefetchDto })
  @ApiProblems()
  tune(@Actor() actor: string, @Body() body: PrefetchOrderDto): Promise<PrefetchDto> {
    return this.actions.tune(body, { actor, reason: body.reason ?? NO_REASON });
  }
}
