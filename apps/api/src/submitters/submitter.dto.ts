import { ApiProperty } from '@nestjs/swagger';
import {
  ALLOCATION_STAGES,
  ALLOCATION_STATUSES,
  ENGINE_NAMES,
  LASTING_MODES,
  type AllocationStatus,
  type NonceGap,
  type NonceHistoryEntry,
  type SubmitterView,
} from '@noncekit/nonce-core';
import { AllocationDto } from '../allocations/allocation.dto';

export class NonceGapDto {
  @ApiProperty({ type: 'integer' })
  from!: number;

  @ApiProperty({ type: 'integer', description: 'Inclusive' })
  to!: number;

  @ApiProperty({ enum: [...ALLOCATION_STAGES, 'MISSING'] })
  stage!: NonceGap['stage'];

  @ApiProperty()
  cause!: string;

  @ApiProperty()
  suggestion!: string;
}

export class NonceGapsDto {
  @ApiProperty({ type: [NonceGapDto] })
  items!: readonly NonceGapDto[];
}

/** One submitter as an operator sees it, read at `asOf`. */
export class SubmitterDto {
  @ApiProperty({ example: 'eip155:31337:0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266' })
  submitter!: string;

  @ApiProperty({ type: String, nullable: true })
  label!: string | null;

  @ApiProperty({ type: 'integer', description: 'The next fresh nonce' })
  nextLocalNonce!: number;

  @ApiProperty({ type: 'integer' })
  ceiling!: number;

  @ApiProperty({ type: 'integer' })
  epoch!: number;

  @ApiProperty({ enum: ENGINE_NAMES, enumName: 'EngineName' })
  engine!: SubmitterView['engine'];

  @ApiProperty({ type: 'integer', nullable: true, description: 'Finalized count - 1' })
  lastChainNonce!: number | null;

  @ApiProperty({ type: 'integer', nullable: true, description: 'Trusted count at `latest`' })
  chainLatest!: number | null;

  @ApiProperty({
    type: 'object',
    properties: Object.fromEntries(ALLOCATION_STATUSES.map((s) => [s, { type: 'integer' }])),
  })
  counts!: Readonly<Record<AllocationStatus, number>>;

  @ApiProperty({ type: [NonceGapDto] })
  gaps!: readonly NonceGapDto[];

  @ApiProperty({ type: 'integer', nullable: true })
  oldestReservedAgeMs!: number | null;

  @ApiProperty({ type: 'integer', description: '0 = no limit' })
  maxInFlight!: number;

  @ApiProperty()
  paused!: boolean;

  @ApiProperty({ type: String, nullable: true })
  pausedReason!: string | null;

  @ApiProperty({
    enum: LASTING_MODES,
    nullable: true,
    description: 'Followed instead of the mode in force; null = follows it',
  })
  pinnedMode!: SubmitterView['pinnedMode'];

  @ApiProperty({ format: 'date-time' })
  asOf!: string;
}

export class SubmittersDto {
  @ApiProperty({ type: [SubmitterDto] })
  items!: SubmitterDto[];

  @ApiProperty({ type: String, nullable: true, description: 'null on the last page' })
  nextCursor!: string | null;
}

export class NonceHistoryEntryDto {
  @ApiProperty({ format: 'uuid' })
  allocationId!: string;

  @ApiProperty({ enum: ALLOCATION_STAGES, enumName: 'AllocationStage' })
  stage!: NonceHistoryEntry['stage'];

  @ApiProperty()
  cause!: string;

  @ApiProperty({ format: 'date-time' })
  at!: string;
}

export class NonceDto extends AllocationDto {
  @ApiProperty({ type: [NonceHistoryEntryDto], description: 'Oldest first' })
  history!: NonceHistoryEntryDto[];
}

export class NoncesDto {
  @ApiProperty({ type: [AllocationDto], description: 'In nonce order' })
  items!: AllocationDto[];

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Send it as `from` to read on; null when the listing is complete',
  })
  nextFrom!: number | null;
}

export function toSubmitterDto(view: SubmitterView): SubmitterDto {
  return {
    submitter: view.submitter,
    label: view.label,
    nextLocalNonce: view.nextLocalNonce,
    ceiling: view.ceiling,
    epoch: view.epoch,
    engine: view.engine,
    lastChainNonce: view.lastChainNonce,
    chainLatest: view.chainLatest,
    counts: view.counts,
    gaps: view.gaps,
    oldestReservedAgeMs: view.oldestReservedAgeMs,
    maxInFlight: view.maxInFlight,
    paused: view.paused,
    pausedReason: view.pausedReason,
    pinnedMode: view.pinnedMode,
    asOf: view.asOf.toISOString(),
  };
}
