import { ApiPropertyOptional } from '@nestjs/swagger';
import { ALLOCATION_LIMITS } from '@noncekit/nonce-core';
import { IsInt, IsObject, Max, Min } from 'class-validator';
import { BoundedText } from '../http/bounded-text';
import { IfPresent } from '../http/if-present';

export class AllocateDto {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: ALLOCATION_LIMITS.maxCount,
    default: 1,
  })
  @IfPresent()
  @IsInt()
  @Min(1)
  @Max(ALLOCATION_LIMITS.maxCount)
  count?: number;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: ALLOCATION_LIMITS.minTtlMs,
    maximum: ALLOCATION_LIMITS.maxTtlMs,
    description: 'Milliseconds until the reservation may be reclaimed',
  })
  @IfPresent()
  @IsInt()
  @Min(ALLOCATION_LIMITS.minTtlMs)
  @Max(ALLOCATION_LIMITS.maxTtlMs)
  ttlMs?: number;

  @ApiPropertyOptional({
    minLength: 1,
    maxLength: ALLOCATION_LIMITS.maxOperationIdLength,
    description: 'Name of the work; the same one gets the same nonces. Same as Idempotency-Key.',
  })
  @IfPresent()
  @BoundedText(ALLOCATION_LIMITS.maxOperationIdLength)
  operationId?: string;

  @ApiPropertyOptional({ type: 'object', additionalProperties: true })
  @IfPresent()
  @IsObject()
  metadata?: Record<string, unknown>;
}
