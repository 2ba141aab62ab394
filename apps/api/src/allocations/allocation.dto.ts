import { ApiProperty } from '@nestjs/swagger';
import {
  ALLOCATION_SOURCES,
  ALLOCATION_STAGES,
  ALLOCATION_STATUSES,
  ENGINE_NAMES,
  type Allocation,
} from '@noncekit/nonce-core';

/** One nonce bound to one piece of work, as the API shows it. */
export class AllocationDto {
  @ApiProperty({ format: 'uuid', description: 'Also the owner token of the holder' })
  id!: string;

  @ApiProperty({ example: 'eip155:31337:0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266' })
  submitter!: string;

  @ApiProperty({ type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER - 1 })
  nonce!: number;

  @ApiProperty({ enum: ALLOCATION_STATUSES, enumName: 'AllocationStatus' })
  status!: Allocation['status'];

  @ApiProperty({ enum: ALLOCATION_STAGES, enumName: 'AllocationStage' })
  stage!: Allocation['stage'];

  @ApiProperty({
    enum: ALLOCATION_SOURCES,
    enumName: 'AllocationSource',
    description: '`replacement`: `hashes` may be out at this nonce; outbid them',
  })
  source!: Allocation['source'];

  @ApiProperty({ type: 'integer', minimum: 1 })
  epoch!: number;

  @ApiProperty({ enum: ENGINE_NAMES, enumName: 'EngineName' })
  engine!: Allocation['engine'];

  @ApiProperty({ type: String, nullable: true })
  operationId!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'The hash that mined, or the last' })
  txHash!: string | null;

  @ApiProperty({ type: [String], description: 'Every hash exposed at this nonce, oldest first' })
  hashes!: readonly string[];

  @ApiProperty({ type: String, enum: ['receipt', 'count'], nullable: true })
  proof!: Allocation['proof'];

  @ApiProperty({ type: String, nullable: true })
  note!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  deadline!: string | null;

  @ApiProperty({ format: 'date-time' })
  createdAt!: string;

  @ApiProperty({ format: 'date-time' })
  updatedAt!: string;
}

export class AllocationsDto {
  @ApiProperty({ type: [AllocationDto], description: 'In nonce order' })
  items!: AllocationDto[];

  @ApiProperty({ description: 'False when recycled nonces broke the block apart' })
  contiguous!: boolean;
}

export function toAllocationDto(allocation: Allocation): AllocationDto {
  return {
    id: allocation.id,
    submitter: allocation.submitter,
    nonce: allocation.nonce,
    status: allocation.status,
    stage: allocation.stage,
    source: allocation.source,
    epoch: allocation.epoch,
    engine: allocation.engine,
    operationId: allocation.operationId,
    txHash: allocation.txHash,
    hashes: allocation.hashes,
    proof: allocation.proof,
    note: allocation.note,
    deadline: allocation.deadline?.toISOString() ?? null,
    createdAt: allocation.createdAt.toISOString(),
    updatedAt: allocation.updatedAt.toISOString(),
  };
}
