import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  ALLOCATION_LIMITS,
  RECONCILE_SCOPES,
  type ReconcileCounts,
  type ReconcileScope,
  type Reconciliation,
} from '@noncekit/nonce-core';
import { IsBoolean, IsIn } from 'class-validator';
import { BoundedText } from '../http/bounded-text';
import { IfPresent } from '../http/if-present';

const STATES = ['running', 'done', 'aborted'] as const;

export class ReconcileOrderDto {
  @ApiProperty({
    enum: RECONCILE_SCOPES,
    description: 'hot: submitters of which the chain has not finally consumed every issued nonce',
  })
  @IsIn(RECONCILE_SCOPES)
  scope!: ReconcileScope;

  @ApiProperty({ minLength: 1, maxLength: ALLOCATION_LIMITS.maxNoteLength })
  @BoundedText(ALLOCATION_LIMITS.maxNoteLength)
  reason!: string;

  @ApiPropertyOptional({ default: false, description: 'Only says what would be changed' })
  @IfPresent()
  @IsBoolean()
  dryRun?: boolean;
}

const COUNT = { type: 'integer' } as const;

export class ReconcileCountsDto implements ReconcileCounts {
  @ApiProperty({ ...COUNT, description: 'Submitters looked at so far' })
  submitters!: number;

  @ApiProperty({ ...COUNT, description: 'Witnessed submitters that the database did not know' })
  unknown!: number;

  @ApiProperty({ ...COUNT, description: 'Submitters behind their witness, put in recovery' })
  behind!: number;

  @ApiProperty({ ...COUNT, description: 'Submitters whose issuing floor was behind the chain' })
  raised!: number;

  @ApiProperty({ ...COUNT, description: 'Fresh nonces that others had used' })
  foreignUse!: number;

  @ApiProperty({ ...COUNT, description: 'Unexposed holders at consumed nonces' })
  fenced!: number;

  @ApiProperty({ ...COUNT, description: 'Rows that became final by count' })
  finalized!: number;

  @ApiProperty({ ...COUNT, description: 'Rows that need a decision' })
  stuck!: number;

  @ApiProperty({ ...COUNT, description: 'Submitters of chains that are not configured' })
  unconfigured!: number;

  @ApiProperty({ ...COUNT, description: 'Submitters that could not be reconciled' })
  failed!: number;
}

export class ReconcileProblemDto {
  @ApiProperty({ example: 'eip155:1:0x52908400098527886e0f7030069857d2e4169ee7' })
  submitter!: string;

  @ApiProperty({ example: 'NONCE_CHAIN_UNREACHABLE' })
  code!: string;
}

/** How far a full reconciliation is, or how it ended. */
export class ReconciliationDto {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ enum: STATES })
  state!: (typeof STATES)[number];

  @ApiProperty({ enum: RECONCILE_SCOPES })
  scope!: ReconcileScope;

  @ApiProperty()
  dryRun!: boolean;

  @ApiProperty()
  by!: string;

  @ApiProperty()
  reason!: string;

  @ApiProperty({ ...COUNT, description: 'Submitters in the scope when it began' })
  total!: number;

  @ApiProperty({ type: ReconcileCountsDto })
  counts!: ReconcileCountsDto;

  @ApiProperty({ type: [ReconcileProblemDto], description: 'The first hundred that failed' })
  problems!: ReconcileProblemDto[];

  @ApiProperty({ format: 'date-time' })
  startedAt!: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  endedAt!: string | null;
}

export function toReconciliationDto(one: Reconciliation): ReconciliationDto {
  const { id, state, scope, dryRun, actor, reason, total, counts } = one;
  return {
    ...{ id, state, scope, dryRun, by: actor, reason, total, counts },
    problems: [...one.problems],
    startedAt: one.startedAt.toISOString(),
    endedAt: one.endedAt?.toISOString() ?? null,
  };
}
