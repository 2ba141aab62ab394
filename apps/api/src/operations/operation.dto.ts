import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ALLOCATION_LIMITS } from '@noncekit/nonce-core';
import { BoundedText } from '../http/bounded-text';
import { IfPresent } from '../http/if-present';

/** Why an operator asks for something that changes no promise; kept in the audit. */
export class OperationOrderDto {
  @ApiPropertyOptional({ maxLength: ALLOCATION_LIMITS.maxNoteLength })
  @IfPresent()
  @BoundedText(ALLOCATION_LIMITS.maxNoteLength)
  reason?: string;
}

/** Work that goes on after the answer. */
export class OperationDto {
  @ApiProperty({ format: 'uuid', description: 'Under this id the order stands in the audit' })
  id!: string;

  @ApiProperty({ enum: ['flush', 'dead-letter-retry'] })
  kind!: 'flush' | 'dead-letter-retry';

  @ApiProperty({ format: 'date-time' })
  acceptedAt!: string;
}
