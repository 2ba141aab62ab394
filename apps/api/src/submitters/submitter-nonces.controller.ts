import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Submitter } from '@noncekit/nonce-core';
import { toAllocationDto } from '../allocations/allocation.dto';
import { ApiProblems, ApiSubmitterParam } from '../documents/api-documentation';
import { SubmitterPipe, pathNonce } from '../http/path-parameters';
import { RequireScope } from '../http/scopes';
import { ListNoncesQuery } from './submitter-queries.dto';
import { SubmitterReader } from './submitter-reader';
import { NonceDto, NonceGapsDto, NoncesDto } from './submitter.dto';

@ApiTags('nonces')
@Controller('v1/submitters/:submitter')
@RequireScope('nonce:read')
export class SubmitterNoncesController {
  constructor(private readonly submitters: SubmitterReader) {}

  @Get('nonces')
  @ApiOperation({ operationId: 'listNonces', summary: 'Nonces that were issued, in order' })
  @ApiSubmitterParam()
  @ApiOkResponse({ type: NoncesDto })
  @ApiProblems()
  async list(
    @Param('submitter', SubmitterPipe) submitter: Submitter,
    @Query() query: ListNoncesQuery,
  ): Promise<NoncesDto> {
    const { items, nextFrom } = await this.submitters.nonces(submitter, query);
    return { items: items.map(toAllocationDto), nextFrom };
  }

  @Get('nonces/:n')
  @ApiOperation({ operationId: 'getNonce', summary: 'One nonce with its history' })
  @ApiSubmitterParam()
  @ApiParam({ name: 'n', schema: { type: 'integer', minimum: 0 } })
  @ApiOkResponse({ type: NonceDto })
  @ApiProblems()
  async read(
    @Param('submitter', SubmitterPipe) submitter: Submitter,
    @Param('n') n: string,
  ): Promise<NonceDto> {
    const { allocation, history } = await this.submitters.nonce(submitter, pathNonce(n));
    return Object.assign(toAllocationDto(allocation), {
      history: history.map((entry) => ({ ...entry, at: entry.at.toISOString() })),
    });
  }

  @Get('gaps')
  @ApiOperation({ operationId: 'listGaps', summary: 'Nonces that block others, with suggestions' })
  @ApiSubmitterParam()
  @ApiOkResponse({ type: NonceGapsDto })
  @ApiProblems()
  async gaps(@Param('submitter', SubmitterPipe) submitter: Submitter): Promise<NonceGapsDto> {
    return { items: (await this.submitters.view(submitter)).gaps };
  }
}
