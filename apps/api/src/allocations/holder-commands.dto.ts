import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ALLOCATION_LIMITS, MAX_NONCE } from '@noncekit/nonce-core';
import { IsInt, IsString, Matches, Max, Min } from 'class-validator';
import { BoundedText } from '../http/bounded-text';
import { IfPresent } from '../http/if-present';

const TX_HASH = /^0x[0-9a-fA-F]{64}$/;
const BYTES = /^0x(?:[0-9a-fA-F]{2})+$/;
const TX_HASH_DOC = { pattern: TX_HASH.source, description: '32 bytes in hexadecimal' };
const TTL_DOC = {
  type: 'integer',
  minimum: ALLOCATION_LIMITS.minTtlMs,
  maximum: ALLOCATION_LIMITS.maxTtlMs,
  description: 'Milliseconds from now, by the clock of the database',
} as const;

/** Where the allocation stands, as it was answered: finds it before it is flushed to Postgres. */
export class HolderRefDto {
  @ApiPropertyOptional({
    description: 'With nonce and epoch: finds an allocation that is not flushed yet',
  })
  @IfPresent()
  @IsString()
  submitter?: string;

  @ApiPropertyOptional({ type: 'integer', minimum: 0, maximum: MAX_NONCE })
  @IfPresent()
  @IsInt()
  @Min(0)
  @Max(MAX_NONCE)
  nonce?: number;

  @ApiPropertyOptional({ type: 'integer', minimum: 1 })
  @IfPresent()
  @IsInt()
  @Min(1)
  @Max(Number.MAX_SAFE_INTEGER)
  epoch?: number;
}

export class IntentDto extends HolderRefDto {
  @ApiProperty(TX_HASH_DOC)
  @Matches(TX_HASH)
  txHash!: string;

  @ApiPropertyOptional({
    pattern: BYTES.source,
    description: 'The signed bytes; kept so that they can be sent again when the holder dies',
  })
  @IfPresent()
  @Matches(BYTES)
  rawTx?: string;
}

export class SubmittedDto extends HolderRefDto {
  @ApiProperty(TX_HASH_DOC)
  @Matches(TX_HASH)
  txHash!: string;
}

export class UsedDto extends HolderRefDto {
  @ApiPropertyOptional(TX_HASH_DOC)
  @IfPresent()
  @Matches(TX_HASH)
  txHash?: string;
}

export class RecyclableDto extends HolderRefDto {
  @ApiProperty({ minLength: 1, maxLength: ALLOCATION_LIMITS.maxNoteLength })
  @BoundedText(ALLOCATION_LIMITS.maxNoteLength)
  reason!: string;
}

export class KeepDto extends HolderRefDto {
  @ApiProperty({ minLength: 1, maxLength: ALLOCATION_LIMITS.maxNoteLength })
  @BoundedText(ALLOCATION_LIMITS.maxNoteLength)
  note!: string;

  @ApiPropertyOptional(TTL_DOC)
  @IfPresent()
  @IsInt()
  @Min(ALLOCATION_LIMITS.minTtlMs)
  @Max(ALLOCATION_LIMITS.maxTtlMs)
  ttlMs?: number;
}

export class HeartbeatDto extends HolderRefDto {
  @ApiPropertyOptional(TTL_DOC)
  @IfPresent()
  @IsInt()
  @Min(ALLOCATION_LIMITS.minTtlMs)
  @Max(ALLOCATION_LIMITS.maxTtlMs)
  ttlMs?: number;
}
