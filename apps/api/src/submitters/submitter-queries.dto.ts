import { ApiPropertyOptional } from '@nestjs/swagger';
import {
  ALLOCATION_STAGES,
  ALLOCATION_STATUSES,
  MAX_NONCE,
  type AllocationStage,
  type AllocationStatus,
} from '@noncekit/nonce-core';
import { IsIn, IsInt, Max, Min } from 'class-validator';
import { BoundedText } from '../http/bounded-text';
import { DecimalQuery } from '../http/decimal-query';
import { IfPresent } from '../http/if-present';

const DEFAULT_LIMIT = 50;
const MAX_SUBMITTERS = 200;
const MAX_NONCES = 1_000;

export class ListSubmittersQuery {
  @ApiPropertyOptional({ description: 'Part of the address or label', maxLength: 200 })
  @IfPresent()
  @BoundedText(200)
  q?: string;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_SUBMITTERS })
  @DecimalQuery()
  @IsInt()
  @Min(1)
  @Max(MAX_SUBMITTERS)
  limit: number = DEFAULT_LIMIT;

  @ApiPropertyOptional({ description: '`nextCursor` of the page before' })
  @IfPresent()
  @BoundedText(500)
  cursor?: string;
}

export class ListNoncesQuery {
  @ApiPropertyOptional({ enum: ALLOCATION_STATUSES, enumName: 'AllocationStatus' })
  @IfPresent()
  @IsIn(ALLOCATION_STATUSES)
  status?: AllocationStatus;

  @ApiPropertyOptional({ enum: ALLOCATION_STAGES, enumName: 'AllocationStage' })
  @IfPresent()
  @IsIn(ALLOCATION_STAGES)
  stage?: AllocationStage;

  @ApiPropertyOptional({ type: 'integer', minimum: 0, maximum: MAX_NONCE })
  @IfPresent()
  @DecimalQuery()
  @IsInt()
  @Min(0)
  @Max(MAX_NONCE)
  from?: number;

  @ApiPropertyOptional({ type: 'integer', minimum: 0, maximum: MAX_NONCE })
  @IfPresent()
  @DecimalQuery()
  @IsInt()
  @Min(0)
  @Max(MAX_NONCE)
  to?: number;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_NONCES })
  @DecimalQuery()
  @IsInt()
  @Min(1)
  @Max(MAX_NONCES)
  limit: number = DEFAULT_LIMIT;
}
