import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { DeadLetter, FlushStatus } from '@noncekit/nonce-core';
import { IsInt, IsUUID, Max, Min } from 'class-validator';
import { DecimalQuery } from '../http/decimal-query';
import { IfPresent } from '../http/if-present';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

export class ShardBacklogDto {
  @ApiProperty({ type: 'integer' })
  shard!: number;

  @ApiProperty({ type: 'integer', description: 'Events that are not in Postgres yet' })
  queued!: number;

  @ApiProperty({ type: 'integer', nullable: true })
  oldestEventAgeMs!: number | null;
}

/** How what Redis granted and heard comes to Postgres, over all workers. */
export class FlushStatusDto {
  @ApiProperty({ type: [ShardBacklogDto], description: 'Shards of which something waits' })
  shards!: ShardBacklogDto[];

  @ApiProperty({ type: 'integer' })
  queued!: number;

  @ApiProperty({ type: 'integer', nullable: true })
  oldestEventAgeMs!: number | null;

  @ApiProperty({ type: 'integer', description: 'Events that could not be applied' })
  deadLetters!: number;

  @ApiProperty({ type: 'integer', description: 'Workers that flush now' })
  workers!: number;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  lastSuccessAt!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  lastFailureAt!: string | null;

  @ApiProperty({ type: String, nullable: true })
  lastFailure!: string | null;

  @ApiProperty({ format: 'date-time' })
  asOf!: string;
}

export class DeadLetterDto {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ type: String, nullable: true, description: 'null when it could not be read' })
  submitter!: string | null;

  @ApiProperty({ type: 'integer', nullable: true })
  nonce!: number | null;

  @ApiProperty({ description: 'Why it could not be applied' })
  reason!: string;

  @ApiProperty({ description: 'The event as it came; JSON where it could be read' })
  event!: string;

  @ApiProperty({ type: 'integer' })
  deliveries!: number;

  @ApiProperty({ format: 'date-time' })
  at!: string;
}

export class DeadLettersDto {
  @ApiProperty({ type: [DeadLetterDto], description: 'Oldest first' })
  items!: DeadLetterDto[];

  @ApiProperty({ type: String, nullable: true, description: 'null on the last page' })
  nextCursor!: string | null;
}

export class ListDeadLettersQuery {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_LIMIT })
  @DecimalQuery()
  @IsInt()
  @Min(1)
  @Max(MAX_LIMIT)
  limit: number = DEFAULT_LIMIT;

  @ApiPropertyOptional({ description: '`nextCursor` of the page before', format: 'uuid' })
  @IfPresent()
  @IsUUID()
  cursor?: string;
}

export function toFlushStatusDto(status: FlushStatus, asOf: Date): FlushStatusDto {
  return {
    shards: status.shards.map(({ shard, streamLength, oldestEventAgeMs }) => ({
      shard,
      queued: streamLength,
      oldestEventAgeMs,
    })),
    queued: status.queued,
    oldestEventAgeMs: status.oldestEventAgeMs,
    deadLetters: status.deadLetters,
    workers: status.workers,
    lastSuccessAt: status.lastSuccessAt?.toISOString() ?? null,
    lastFailureAt: status.lastFailureAt?.toISOString() ?? null,
    lastFailure: status.lastFailure,
    asOf: asOf.toISOString(),
  };
}

export function toDeadLetterDto(letter: DeadLetter): DeadLetterDto {
  const { at, ...facts } = letter;
  return { ...facts, at: at.toISOString() };
}
