import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  ALLOCATION_LIMITS,
  EXPOSURES,
  LASTING_MODES,
  type Exposure,
  type LastingMode,
} from '@noncekit/nonce-core';
import { IsBoolean, IsIn, IsInt, Max, Min } from 'class-validator';
import { BoundedText } from '../http/bounded-text';
import { IfPresent, IfPresentOrNull } from '../http/if-present';

const MAX_LABEL_LENGTH = 200;
/** Far above what any pool keeps per account; it only keeps typing errors out. */
const MAX_WINDOW = 1_000_000;

/** Every operator action says why; the reason is kept in the audit. */
export class OperatorActionDto {
  @ApiProperty({ minLength: 1, maxLength: ALLOCATION_LIMITS.maxNoteLength })
  @BoundedText(ALLOCATION_LIMITS.maxNoteLength)
  reason!: string;
}

export class ReconcileSubmitterDto extends OperatorActionDto {
  @ApiPropertyOptional({ default: false, description: 'Only says what would be changed' })
  @IfPresent()
  @IsBoolean()
  dryRun?: boolean;
}

export class ResetSubmitterDto extends OperatorActionDto {
  @ApiPropertyOptional({ default: false, description: 'Only says what would be done' })
  @IfPresent()
  @IsBoolean()
  dryRun?: boolean;

  @ApiPropertyOptional({
    maxLength: MAX_LABEL_LENGTH,
    description: 'The submitter once more, as `eip155:<chain>:<address>`; not for a dry run',
  })
  @IfPresent()
  @BoundedText(MAX_LABEL_LENGTH)
  confirm?: string;
}

/** Fields that are left out stay as they are; null goes back to the default. */
export class SubmitterSettingsDto {
  @ApiPropertyOptional({ type: String, nullable: true, maxLength: MAX_LABEL_LENGTH })
  @IfPresentOrNull()
  @BoundedText(MAX_LABEL_LENGTH)
  label?: string | null;

  @ApiPropertyOptional({
    type: 'integer',
    nullable: true,
    minimum: 0,
    maximum: MAX_WINDOW,
    description: 'Fresh nonces that may be in flight; 0 = no limit, null = as the chain says',
  })
  @IfPresentOrNull()
  @IsInt()
  @Min(0)
  @Max(MAX_WINDOW)
  maxInFlight?: number | null;

  @ApiPropertyOptional({
    type: 'integer',
    nullable: true,
    minimum: ALLOCATION_LIMITS.minTtlMs,
    maximum: ALLOCATION_LIMITS.maxTtlMs,
  })
  @IfPresentOrNull()
  @IsInt()
  @Min(ALLOCATION_LIMITS.minTtlMs)
  @Max(ALLOCATION_LIMITS.maxTtlMs)
  ttlMs?: number | null;

  @ApiPropertyOptional({ enum: EXPOSURES, nullable: true })
  @IfPresentOrNull()
  @IsIn(EXPOSURES)
  exposure?: Exposure | null;

  @ApiPropertyOptional({
    enum: LASTING_MODES,
    nullable: true,
    description: 'Followed instead of the mode, except while that is DRAIN or DEGRADED',
  })
  @IfPresentOrNull()
  @IsIn(LASTING_MODES)
  pinnedMode?: LastingMode | null;

  @ApiPropertyOptional({ maxLength: ALLOCATION_LIMITS.maxNoteLength })
  @IfPresent()
  @BoundedText(ALLOCATION_LIMITS.maxNoteLength)
  reason?: string;
}
