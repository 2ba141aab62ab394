import { Body, Controller, Get, HttpCode, HttpStatus, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  NonceEngineManager,
  NonceError,
  parseSubmitter,
  toNonce,
  type Allocation,
  type AllocationRef,
  type CommandAnswer,
  type Hex,
} from '@noncekit/nonce-core';
import { ApiAllocationIdParam, ApiProblems } from '../documents/api-documentation';
import { IdPipe, DefaultChain } from '../http/path-parameters';
import { RequireScope } from '../http/scopes';
import { AllocationDto, toAllocationDto } from './allocation.dto';
import { HoldTtl } from './hold-ttl';
import {
  HeartbeatDto,
  HolderRefDto,
  IntentDto,
  KeepDto,
  RecyclableDto,
  SubmittedDto,
  UsedDto,
} from './holder-commands.dto';

/** What a holder reads and says about its allocation. Every command is idempotent. */
@ApiTags('allocations')
@Controller('v1/allocations/:id')
export class AllocationsController {
  constructor(
    private readonly engine: NonceEngineManager,
    private readonly holdTtl: HoldTtl,
    private readonly defaultChain: DefaultChain,
  ) {}

  @Get()
  @RequireScope('nonce:read')
  @ApiOperation({ operationId: 'getAllocation', summary: 'Read one allocation' })
  @ApiAllocationIdParam()
  @ApiOkResponse({ type: AllocationDto })
  @ApiProblems()
  async read(@Param('id', IdPipe) id: string): Promise<AllocationDto> {
    return toAllocationDto(await this.find(id));
  }

  @Post('intent')
  @HolderCommandRoute('intent', 'Record that these bytes may now leave; send only after 200')
  async intent(@Param('id', IdPipe) id: string, @Body() body: IntentDto): Promise<AllocationDto> {
    const ref = this.refOf(id, body);
    const rawTx = body.rawTx === undefined ? {} : { rawTx: hex(body.rawTx) };
    return answerOf(await this.engine.intent(ref, { txHash: hex(body.txHash), ...rawTx }));
  }

  @Post('submitted')
  @HolderCommandRoute('submitted', 'A node took the transaction')
  async submitted(
    @Param('id', IdPipe) id: string,
    @Body() body: SubmittedDto,
  ): Promise<AllocationDto> {
    return answerOf(
      await this.engine.markSubmitted(this.refOf(id, body), { txHash: hex(body.txHash) }),
    );
  }

  @Post('used')
  @HolderCommandRoute('used', 'The work is done')
  async used(@Param('id', IdPipe) id: string, @Body() body: UsedDto): Promise<AllocationDto> {
    const tx = body.txHash === undefined ? {} : { txHash: hex(body.txHash) };
    return answerOf(await this.engine.markUsed(this.refOf(id, body), tx));
  }

  @Post('recyclable')
  @HolderCommandRoute('recyclable', 'Nothing was sent and nothing will be')
  async recyclable(
    @Param('id', IdPipe) id: string,
    @Body() body: RecyclableDto,
  ): Promise<AllocationDto> {
    return answerOf(
      await this.engine.markRecyclable(this.refOf(id, body), { reason: body.reason }),
    );
  }

  @Post('keep')
  @HolderCommandRoute('keep', 'Still wanted: store a note and move the deadline')
  async keep(@Param('id', IdPipe) id: string, @Body() body: KeepDto): Promise<AllocationDto> {
    const ref = this.refOf(id, body);
    const ttlMs = body.ttlMs ?? (await this.ttlOf(ref));
    return answerOf(await this.engine.keepReserved(ref, { note: body.note, ttlMs }));
  }

  @Post('heartbeat')
  @HolderCommandRoute('heartbeat', 'Still alive: move the deadline')
  async heartbeat(
    @Param('id', IdPipe) id: string,
    @Body() body: HeartbeatDto,
  ): Promise<AllocationDto> {
    const ref = this.refOf(id, body);
    const ttlMs = body.ttlMs ?? (await this.ttlOf(ref));
    return answerOf(await this.engine.heartbeat(ref, { ttlMs }));
  }

  private async find(id: string): Promise<Allocation> {
    const allocation = await this.engine.find(id);
    if (allocation === null) {
      throw new NonceError('NONCE_ALLOCATION_UNKNOWN', { context: { allocationId: id } });
    }
    return allocation;
  }

  private async ttlOf({ id, submitter }: AllocationRef): Promise<number> {
    return this.holdTtl.of(submitter ?? (await this.find(id)).submitter);
  }

  private refOf(id: string, body: HolderRefDto): AllocationRef {
    return {
      id,
      ...(body.submitter === undefined
        ? {}
        : { submitter: parseSubmitter(body.submitter, this.defaultChain.id) }),
      ...(body.nonce === undefined ? {} : { nonce: toNonce(body.nonce) }),
      ...(body.epoch === undefined ? {} : { epoch: body.epoch }),
    };
  }
}

/** The declarations every holder command shares: scope, status and documentation. */
function HolderCommandRoute(operationId: string, summary: string): MethodDecorator {
  const declarations = [
    RequireScope('nonce:allocate'),
    HttpCode(HttpStatus.OK),
    ApiOperation({ operationId, summary }),
    ApiAllocationIdParam(),
    ApiOkResponse({ type: AllocationDto }),
    ApiProblems(),
  ];
  return (target, key, descriptor) => {
    for (const declare of declarations) declare(target, key, descriptor);
  };
}

function answerOf(answer: CommandAnswer): AllocationDto {
  return toAllocationDto(answer.allocation);
}

function hex(text: string): Hex {
  return text.toLowerCase() as Hex;
}
