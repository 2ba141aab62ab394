import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ALLOCATION_LIMITS, type PrefetchTuning } from '@noncekit/nonce-core';
import { IsInt, Max, Min } from 'class-validator';
import { BoundedText } from '../http/bounded-text';
import { IfPresent } from '../http/if-present';

/** As in the environment: what one epoch may be given at once. */
const MAX_SIZE = 65_536;

/** How many fresh nonces Redis is given at once, for all nodes. */
export class PrefetchOrderDto {
  @ApiProperty({ type: 'integer', minimum: 1, maximum: MAX_SIZE, description: 'A first batch' })
  @IsInt()
  @Min(1)
  @Max(MAX_SIZE)
  size!: number;

  @ApiProperty({
    type: 'integer',
    minimum: 0,
    maximum: MAX_SIZE - 1,
    description: 'Fewer left than this fetch the next batch; below size',
  })
  @IsInt()
  @Min(0)
  @Max(MAX_SIZE - 1)
  lowWater!: number;

  @ApiProperty({
    type: 'integer',
    minimum: 1,
    maximum: MAX_SIZE,
    description: 'The largest batch of a busy submitter; not below size',
  })
  @IsInt()
  @Min(1)
  @Max(MAX_SIZE)
  max!: number;

  @ApiPropertyOptional({ maxLength: ALLOCATION_LIMITS.maxNoteLength })
  @IfPresent()
  @BoundedText(ALLOCATION_LIMITS.maxNoteLength)
  reason?: string;
}

export class PrefetchDto {
  @ApiProperty({ type: 'integer' })
  size!: number;

  @ApiProperty({ type: 'integer' })
  lowWater!: number;

  @ApiProperty({ type: 'integer' })
  max!: number;

  @ApiProperty({ description: 'An operator has set it; else it is the configuration of this node' })
  tuned!: boolean;
}

export function toPrefetchDto(
  tuned: PrefetchTuning | null,
  configured: PrefetchTuning,
): PrefetchDto {
  const { size, lowWater, max } = tuned ?? configured;
  return { size, lowWater, max, tuned: tuned !== null };
}
