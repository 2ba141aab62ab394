import { Body, Controller, HttpStatus, Param, Post, Res } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { NonceEngineManager, type Submitter } from '@noncekit/nonce-core';
import type { FastifyReply } from 'fastify';
import { ApiProblems, ApiSubmitterParam } from '../documents/api-documentation';
import {
  IDEMPOTENCY_KEY_HEADER,
  IDEMPOTENCY_REPLAYED_HEADER,
  operationIdOf,
  requestHashOf,
} from '../http/idempotency';
import { SubmitterPipe } from '../http/path-parameters';
import { RequireScope } from '../http/scopes';
import { AllocateDto } from './allocate.dto';
import { AllocationsDto, toAllocationDto } from './allocation.dto';
import { HoldTtl } from './hold-ttl';

@ApiTags('allocations')
@Controller('v1/submitters/:submitter/allocations')
export class SubmitterAllocationsController {
  constructor(
    private readonly engine: NonceEngineManager,
    private readonly holdTtl: HoldTtl,
  ) {}

  @Post()
  @RequireScope('nonce:allocate')
  @ApiOperation({ operationId: 'allocate', summary: 'Reserve the next nonces of a submitter' })
  @ApiSubmitterParam()
  @ApiHeader({ name: IDEMPOTENCY_KEY_HEADER, required: false, description: 'Same as operationId' })
  @ApiCreatedResponse({ type: AllocationsDto })
  @ApiOkResponse({ type: AllocationsDto, description: 'A replay, with Idempotency-Replayed: true' })
  @ApiProblems()
  async allocate(
    @Param('submitter', SubmitterPipe) submitter: Submitter,
    @Body() body: AllocateDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AllocationsDto> {
    const key = reply.request.headers[IDEMPOTENCY_KEY_HEADER];
    const operationId = operationIdOf(key, body.operationId);
    const grant = await this.engine.allocate({
      submitter,
      count: body.count ?? 1,
      ttlMs: body.ttlMs ?? (await this.holdTtl.of(submitter)),
      // A client over HTTP has no other way to report a send than an intent.
      exposure: 'declared',
      ...(operationId === undefined ? {} : { operationId, requestHash: hashOf(body) }),
      ...(body.metadata === undefined ? {} : { metadata: body.metadata }),
    });
    void reply.status(grant.replayed ? HttpStatus.OK : HttpStatus.CREATED);
    if (grant.replayed) void reply.header(IDEMPOTENCY_REPLAYED_HEADER, 'true');
    return { items: grant.allocations.map(toAllocationDto), contiguous: grant.contiguous };
  }
}

/** The name of the operation is its key, not part of what was asked. */
function hashOf(body: AllocateDto): string {
  return requestHashOf({
    count: body.count ?? 1,
    ttlMs: body.ttlMs ?? null,
    metadata: body.metadata ?? null,
  });
}
